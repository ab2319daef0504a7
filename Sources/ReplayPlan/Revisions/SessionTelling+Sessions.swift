import Basics
import MCP
import Trace

/// From requests that carry all they need to a session.
extension SessionTelling {
  mutating func withSession() -> SessionScript {
    let first = script.steps.lazy.compactMap { $0.params?.member("_meta") }.first
    let end = script.length
    var extra: [ScriptStep] = []
    collectAnswers()
    for i in script.steps.indices {
      var step = script.steps[i]
      (step.taskOf, step.taskEnd) = (nil, nil)
      step.isModern = false
      step.headers.removeAll { $0.name.lowercased().hasPrefix("mcp-param-") }
      if step.cancellation != nil, step.cancellation?.notification == nil {
        step.cancellation?.notification = RawJSON(.object([]))
      }
      script.steps[i] = step
      switch (step.kind, step.method) {
      case (.request, Method.discover): omit(i, .retold)
      case (.request, Modern.listen): extra += subscribe(i)
      case (.request, _) where step.method.hasPrefix("tasks/"): omit(i, .noCounterpart)
      default: break
      }
    }
    script.steps += extra
    insertLogLevels()
    for i in script.steps.indices {
      script.steps[i].params = plain(script.steps[i].params)
    }
    open(first)
    close(after: end)
    return script
  }

  /// What a client answered in rounds it answers to requests of the server.
  private mutating func collectAnswers() {
    for i in script.steps.indices {
      for k in script.steps[i].rounds.indices {
        let round = script.steps[i].rounds[k]
        for (a, answer) in round.answers.enumerated() {
          script.serverAnswers[answer.method, default: []].append(
            .init(
              content: answer.response, isError: false, isHidden: !answer.hidden.isEmpty,
              question: answer.question, think: round.think))
          // The call itself says it no more.
          script.steps[i].rounds[k].answers[a].hidden = []
        }
      }
    }
  }

  /// Changes of lists come on the session's own stream; for resources there is a request each.
  private mutating func subscribe(_ i: Int) -> [ScriptStep] {
    let step = script.steps[i]
    let filter = step.params?.member("notifications")?.member("resourceSubscriptions")
    let uris = (filter?.value.array ?? []).compactMap(\.string)
    omit(i, .retold)
    return uris.enumerated().map { k, uri in
      var request = ScriptStep(n: step.n, kind: .request, method: SessionTelling.subscribe)
      request.params = RawJSON(.object([.init("uri", .string(uri))]))
      request.id = RawJSON(.int(0))
      request.after = step.after
      request.gates = step.gates
      request.think = step.think
      request.offset = step.offset
      request.origin = step.origin
      request.turn = step.turn
      request.headers = step.headers
      (request.bindings, request.hidden) = (step.bindings, step.hidden)
      request.move(SessionTelling.subscription(k), to: SessionTelling.uri)
      return request
    }
  }

  /// A request that wants another log level than the one before it sets it first.
  private mutating func insertLogLevels() {
    var level: RawJSON?
    var i = 0
    while i < script.steps.count {
      let step = script.steps[i]
      let wanted = step.params?.member("_meta")?.member(Modern.logLevelKey)
      if let wanted, wanted != level {
        level = wanted
        var request = ScriptStep(n: step.n, kind: .request, method: SessionTelling.logSetLevel)
        request.params = RawJSON(.object([.init("level", wanted.value)]))
        request.id = RawJSON(.int(0))
        request.after = step.after
        request.gates = step.gates
        request.think = step.think
        request.offset = step.offset
        request.origin = .sdk
        request.turn = step.turn
        request.headers = step.headers
        script.insert([request], at: i)
        i += 1
        script.steps[i].gates.append(i - 1)
      }
      i += 1
    }
  }

  private func plain(_ params: RawJSON?) -> RawJSON? {
    guard let params, let meta = params.member("_meta") else { return params }
    let kept = SessionTelling.members(meta).filter { !Modern.keys.contains($0.key) }
    return SessionTelling.params(params, meta: kept)
  }

  /// The handshake, and the stream on which a server may ask.
  private mutating func open(_ meta: RawJSON?) {
    let capabilities = SessionTelling.members(meta?.member(Modern.capabilitiesKey))
      .filter { $0.key != "extensions" }
    let handshake = Handshake(
      revision: revision.description, client: meta?.member(Modern.clientKey)?.value,
      capabilities: .object(capabilities))
    var stream = ScriptStep(n: 0, kind: .openStream, method: "GET")
    stream.after = [1]
    var opening = handshake.steps + [stream]
    let headers = script.steps.first { $0.kind == .request }?.headers ?? []
    for i in opening.indices { opening[i].headers = headers }
    script.insert(opening, at: 0)
    for i in script.steps.indices.dropFirst(opening.count) { script.steps[i].gates += [0, 1] }
  }

  /// A session is ended by its client, when all is over.
  private mutating func close(after end: Int64) {
    var delete = ScriptStep(n: 0, kind: .delete, method: "DELETE")
    delete.offset = end
    delete.gates = Array(script.steps.indices)
    delete.headers = script.steps.first?.headers ?? []
    script.steps.append(delete)
  }
}
