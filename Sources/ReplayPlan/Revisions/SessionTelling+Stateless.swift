import Basics
import MCP
import Trace

/// From sessions to requests that carry all they need.
extension SessionTelling {
  mutating func stateless(
    _ mirrored: [String: [ScriptStep.Mirror]]
  ) -> SessionScript {
    let handshake = script.steps.first { $0.method == Method.initialize }?.params
    let probes = script.steps.contains { $0.method == Method.discover }
    var level: JSONValue?
    var listening: [String: Int] = [:]
    for i in script.steps.indices {
      var step = script.steps[i]
      (step.taskOf, step.taskEnd) = (nil, nil)
      step.isModern = true
      step.cancellation?.notification = nil
      let uri = step.params?.member("uri")?.string ?? ""
      script.steps[i] = step
      switch (step.kind, step.method) {
      case (.request, Method.initialize):
        // A client that asks first what a server speaks has asked already.
        if probes { omit(i, .retold) } else { ask(i, Method.discover, [:]) }
      case (.openStream, _): listen(i, .object(SessionTelling.allChanges))
      case (.request, SessionTelling.logSetLevel):
        level = step.params?.member("level")?.value
        omit(i, .retold)
      case (.request, SessionTelling.subscribe):
        listening[uri] = i
        listen(i, .object([.init("resourceSubscriptions", .array([.string(uri)]))]))
        script.steps[i].move(SessionTelling.uri, to: SessionTelling.subscription(0))
      case (.request, SessionTelling.unsubscribe):
        guard let subscription = listening.removeValue(forKey: uri) else {
          omit(i, .noCounterpart)
          break
        }
        script.steps[i].kind = .closeStream
        script.steps[i].closes = subscription
        (script.steps[i].bindings, script.steps[i].hidden) = ([], [])
      case (.notification, "notifications/initialized"): omit(i, .retold)
      case (.notification, _), (.delete, _), (.request, "ping"): omit(i, .noCounterpart)
      case (.request, _) where step.method.hasPrefix("tasks/"): omit(i, .noCounterpart)
      case (.request, _), (.closeStream, _): break
      }
      guard script.steps[i].kind == .request, script.steps[i].omission == nil else { continue }
      script.steps[i].params = SessionTelling.params(
        script.steps[i].params, meta: meta(script.steps[i].params, handshake, level),
        without: ["task"])
      script.steps[i].mirrors = script.steps[i].tool.map { mirrored[$0] ?? [] }
    }
    return script
  }

  /// What the GET stream of a session brings unasked.
  private static let allChanges: [JSONValue.Member] = [
    .init("toolsListChanged", .bool(true)), .init("promptsListChanged", .bool(true)),
    .init("resourcesListChanged", .bool(true)),
  ]

  private mutating func listen(_ i: Int, _ notifications: JSONValue) {
    ask(i, Modern.listen, ["notifications": notifications])
    script.steps[i].kind = .request
    script.steps[i].isLongLived = true
    script.steps[i].service = 0
    // A GET accepts event streams alone, a POST has to take both.
    script.steps[i].headers.removeAll { $0.named("accept") || $0.named("cache-control") }
    if script.steps[i].id == nil { script.steps[i].id = RawJSON(.string("listen")) }
  }

  private mutating func ask(_ i: Int, _ method: String, _ params: [String: JSONValue]) {
    script.steps[i].method = method
    script.steps[i].params = RawJSON(.object(params.map { .init($0.key, $0.value) }))
  }

  /// `_meta` of a request: what it had, and what the handshake said.
  private func meta(
    _ params: RawJSON?, _ handshake: RawJSON?, _ level: JSONValue?
  ) -> [JSONValue.Member] {
    var meta = SessionTelling.members(params?.member("_meta")).filter {
      !Modern.keys.contains($0.key)
    }
    meta.append(.init(Modern.versionKey, .string(revision.description)))
    if let client = handshake?.member("clientInfo")?.value {
      meta.append(.init(Modern.clientKey, client))
    } else if let client = script.client {
      meta.append(.init(Modern.clientKey, Handshake.describe(client)))
    }
    // Tasks are an extension now, of which the recorded client knew nothing.
    let capabilities = SessionTelling.members(handshake?.member("capabilities"))
      .filter { $0.key != "tasks" }
    meta.append(.init(Modern.capabilitiesKey, .object(capabilities)))
    if let level { meta.append(.init(Modern.logLevelKey, level)) }
    return meta
  }
}
