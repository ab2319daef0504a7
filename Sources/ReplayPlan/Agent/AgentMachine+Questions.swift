import Basics
import Trace

/// What an agent says when a server asks: as recorded, else as a client without people does.
extension AgentMachine {
  /// Answers a request of the server, after the time that the recorded client took.
  mutating func answer(
    _ method: String, _ id: RawJSON, _ params: RawJSON?, on exchange: Int, _ at: Int64
  ) {
    let i = step(of: exchange)
    var members: [JSONValue.Member] = [.init("jsonrpc", .string("2.0")), .init("id", id.value)]
    var think: Int64 = 0
    if method == "ping" {
      members.append(.init("result", .object([])))
    } else if let answer = recordedAnswer(method, params, for: i ?? 0) {
      members.append(.init(answer.isError ? "error" : "result", answer.content.value))
      think = answer.think
    } else if let result = AgentMachine.defaultAnswer(method) {
      members.append(.init("result", result))
    } else {
      members.append(
        .init(
          "error",
          .object([.init("code", .int(-32601)), .init("message", .string("Method not found"))])))
    }
    questions += 1
    replies[questions] = (method, .object(members), id)
    guard think > 0 else { return reply(questions) }
    arm(.reply(questions), at + think)
    guard let i, alarms.contains(where: { $0.what == .timeout(i) }) else { return }
    // The call waits for its client, which is no fault of the server.
    disarm(.timeout(i))
    arm(.timeout(i), at + think + policy.callTimeout)
  }

  /// The step on whose stream an exchange brings what the server says.
  private func step(of exchange: Int) -> Int? {
    switch exchanges.first(where: { $0.number == exchange })?.purpose {
    case .step(let i), .resume(let i), .recovery(let i), .cancelNotice(let i): i
    case .serverAnswer, nil: nil
    }
  }

  /// Sends an answer whose time has come.
  mutating func reply(_ k: Int) {
    guard let reply = replies.removeValue(forKey: k) else { return }
    _ = send(.serverAnswer(reply.method), extraBytes(reply.body), id: reply.id, isInSession: true)
  }

  /// The recorded answer to the same question, else the next of that method that can be one; they begin anew when all were given.
  mutating func recordedAnswer(
    _ method: String, _ params: RawJSON?, for i: Int
  ) -> SessionScript.ServerAnswer? {
    let question = SessionScript.question(params)
    let recorded = script.session.serverAnswers[method] ?? []
    guard !recorded.isEmpty else { return nil }
    var given = answered[method, default: []]
    if given.count == recorded.count { given = [] }
    let left = recorded.indices.filter { !given.contains($0) }
    let same = left.first { question != nil && recorded[$0].question == question }
    let other = left.first {
      recorded[$0].isError || AgentMachine.fits(recorded[$0].content, params)
    }
    guard let chosen = same ?? other else { return nil }
    given.insert(chosen)
    answered[method] = given
    if recorded[chosen].isHidden {
      actions.append(.unresolved(UnresolvedValue(step: i, value: nil, cause: .redacted)))
      guard script.onUnresolved == .recorded else { return nil }
    }
    return recorded[chosen]
  }

  /// Whether what a user entered can be entered here: all of it is asked for, and all that must be there is.
  static func fits(_ answer: RawJSON, _ params: RawJSON?) -> Bool {
    guard let schema = params?.member("requestedSchema"),
      let content = answer.member("content")?.value.members
    else { return true }
    let asked = Set(schema.member("properties")?.value.members?.map(\.key) ?? [])
    let required = schema.member("required")?.value.array?.compactMap(\.string) ?? []
    let said = Set(content.map(\.key))
    return said.isSubset(of: asked) && said.isSuperset(of: required)
  }

  /// What a client says to a question that the recording holds no answer to.
  static func defaultAnswer(_ method: String) -> JSONValue? {
    switch method {
    case "elicitation/create": .object([.init("action", .string("decline"))])
    case "roots/list": .object([.init("roots", .array([]))])
    case "sampling/createMessage":
      .object([
        .init("role", .string("assistant")),
        .init("content", .object([.init("type", .string("text")), .init("text", .string(""))])),
        .init("model", .string("replay")), .init("stopReason", .string("endTurn")),
      ])
    default: nil
    }
  }
}
