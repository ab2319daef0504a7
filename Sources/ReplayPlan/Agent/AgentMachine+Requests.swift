import Basics
import NIOCore
import Trace

/// What an agent sends.
extension AgentMachine {
  /// Most rounds of one call; SDKs stop after ten.
  static let roundLimit = 10
  /// Pause before a round that only carries state back (SDKs take 50 to 250 ms).
  static let stateOnlyPause: Int64 = 100_000_000
  /// Pause before the first repetition; it doubles. An agent never fails at full speed.
  static let repetitionPause: Int64 = 1_000_000_000
  /// Sends a step for the first time.
  mutating func transmit(_ i: Int) {
    let step = script.session.steps[i]
    guard states[i].phase != .flying, states[i].phase != .over else { return }
    alarms.removeAll { $0.what == .due(i) }
    var cursor: RawJSON?
    if let from = step.cursorFrom {
      cursor = states[from].cursor
      // The listing has fewer pages here: this one does not exist.
      if cursor == nil { return conclude(i, at: states[i].due, failed: false) }
    }
    if step.kind == .delete {
      // A server that gave no session has none to end.
      if identity.sessionID == nil { return conclude(i, at: states[i].due, failed: false) }
      abandonStreams()
    }
    let isForeign = book.isStdio && (step.kind == .openStream || step.kind == .delete)
    if isForeign || step.kind == .openStream && hasOpenStream {
      return conclude(i, at: states[i].due, failed: false)
    }
    states[i].phase = .flying
    if step.kind == .request { states[i].id = mintID(like: step.id) }
    post(i, book.templates[i].bytes(identity, fill(i, cursor)))
    if step.kind == .openStream || step.isLongLived {
      conclude(i, at: states[i].due, failed: false)
    }
  }

  /// Sends a step again with a new id: another try, or the next round of a call.
  mutating func transmitAgain(_ i: Int) {
    let step = script.session.steps[i]
    guard states[i].phase == .flying else { return }
    states[i].id = mintID(like: step.id)
    let fill = fill(i, step.cursorFrom.flatMap { states[$0].cursor })
    if let round = pendingRounds.removeValue(forKey: i) {
      let body = AgentMachine.round(book.templates[i].body(fill), round)
      post(i, book.templates[i].bytes(identity, fill, body: body))
    } else {
      post(i, book.templates[i].bytes(identity, fill))
    }
  }

  private func fill(_ i: Int, _ cursor: RawJSON?) -> RequestFill {
    RequestFill(
      id: states[i].id, cursor: cursor,
      values: script.session.steps[i].bindings.isEmpty ? [] : values)
  }

  /// The same request with what a round adds to its params.
  private static func round(_ body: ByteBuffer, _ added: [JSONValue.Member]) -> ByteBuffer {
    let names = ["inputResponses", "requestState"]
    var members = RawJSON(trusted: body).value.members ?? []
    let kept = RawJSON(trusted: body).member("params")?.value.members ?? []
    members.removeAll { $0.key == "params" }
    members.append(
      .init("params", .object(kept.filter { !names.contains($0.key) } + added)))
    return RawJSON(.object(members)).bytes
  }

  /// Tells the server that a request was given up, as clients with sessions do.
  mutating func notifyCancelled(_ i: Int) {
    let step = script.session.steps[i]
    guard let id = states[i].id else { return }
    var members: [JSONValue.Member] = [.init("requestId", id.value)]
    if let recorded = step.cancellation?.notification?.value.members {
      members += recorded.filter { $0.key != "requestId" }
    } else {
      let seconds = Double(policy.callTimeout) / 1e9
      members.append(.init("reason", .string("timed out after \(seconds)s")))
    }
    let body = JSONValue.object([
      .init("jsonrpc", .string("2.0")), .init("method", .string("notifications/cancelled")),
      .init("params", .object(members)),
    ])
    _ = send(.cancelNotice(i), extraBytes(body), id: nil, isInSession: true)
  }

  /// Answers a request of the server at once: as recorded for that method in order, else as a client without people does.
  mutating func answer(_ method: String, _ id: RawJSON, on exchange: Int) {
    let recorded = script.session.serverAnswers[method] ?? []
    let count = answered[method, default: 0]
    answered[method] = count + 1
    var members: [JSONValue.Member] = [.init("jsonrpc", .string("2.0")), .init("id", id.value)]
    if method == "ping" {
      members.append(.init("result", .object([])))
    } else if !recorded.isEmpty {
      let answer = recorded[count % recorded.count]
      if answer.isHidden {
        actions.append(
          .unresolved(UnresolvedValue(step: step(of: exchange), value: nil, cause: .redacted)))
      }
      members.append(.init(answer.isError ? "error" : "result", answer.content.value))
    } else if let result = AgentMachine.defaultAnswer(method) {
      members.append(.init("result", result))
    } else {
      members.append(
        .init(
          "error",
          .object([.init("code", .int(-32601)), .init("message", .string("Method not found"))])))
    }
    _ = send(.serverAnswer(method), extraBytes(.object(members)), id: id, isInSession: true)
  }

  /// The step on whose stream an exchange brings what the server says.
  private func step(of exchange: Int) -> Int {
    switch exchanges.first(where: { $0.number == exchange })?.purpose {
    case .step(let i), .resume(let i), .cancelNotice(let i): i
    case .serverAnswer, nil: 0
    }
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

  private mutating func post(_ i: Int, _ request: RequestBytes) {
    states[i].attempts += 1
    states[i].exchange = send(
      .step(i), request, id: states[i].id, isInSession: book.templates[i].isInSession)
  }

  mutating func send(
    _ purpose: Transmission.Purpose, _ request: RequestBytes, id: RawJSON?, isInSession: Bool
  ) -> Int {
    lastExchange += 1
    exchanges.append(
      Exchange(
        number: lastExchange, purpose: purpose,
        isInSession: isInSession && identity.sessionID != nil))
    actions.append(
      .send(
        Transmission(
          exchange: lastExchange, purpose: purpose, bytes: request.bytes, id: id,
          bodyLength: request.bodyLength)))
    return lastExchange
  }

  private func extraBytes(_ body: JSONValue) -> RequestBytes {
    book.extra.bytes(identity, body: RawJSON(body).bytes)
  }

  /// Ids count up from the recorded client's first; the JSON type stays.
  private mutating func mintID(like recorded: RawJSON?) -> RawJSON {
    let value = nextID
    nextID += 1
    let isString = recorded?.bytes.getInteger(at: recorded?.bytes.readerIndex ?? 0, as: UInt8.self)
    return isString == 0x22 ? RawJSON(.string(String(value))) : RawJSON(.int(value))
  }
}
