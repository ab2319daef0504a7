import Basics
import MCP
import NIOCore
import Wire

/// From a question to the script of its answer.
extension ScriptedServer {
  mutating func answer(
    _ head: HTTPRequestHead, _ message: JSONRPCMessage, _ name: String?, _ now: Timestamp,
    _ id: ExchangeID
  ) -> LiveExchange {
    let key = CallKey(method: message.method, params: message.content)
    if let page = book.pageOf[key] {
      counts.asRecorded += 1
      return replay(turn(page, name), message, name, now, id)
    }
    if let standIn = book.standIn(for: key) {
      counts.standIns += 1
      return replay(standIn, message, name, now, id)
    }
    let requestID = message.id ?? RawJSON(.null)
    let own = OwnAnswers(isModern: name == nil && book.isModern)
    let result: RawJSON
    switch message.method {
    case "ping" where !own.isModern: result = own.placeholder(for: message.method, isError: false)
    case Method.discover where own.isModern: result = own.discovery
    case Method.toolsList: result = own.tools(book.tools)
    case Method.toolsCall:
      counts.unknown += 1
      let error = own.toolError("Unknown tool: \(key.family.tool ?? "")")
      return direct(.result(id: requestID, error), status: 200, name, now)
    default: return unknownMethod(message, name, now)
    }
    counts.standIns += 1
    return direct(.result(id: requestID, result), status: 200, name, now)
  }

  /// The answer whose turn it is: in a session the n-th, the last repeats; without one they go round.
  private mutating func turn(_ index: Int, _ name: String?) -> Int {
    let page = book.pages[index]
    guard let name, var session = sessions[name] else {
      let turn = turns[index, default: 0]
      turns[index] = turn + 1
      return page.all[turn % page.all.count]
    }
    if page.bySession[session.followed] == nil {
      let turn = turns[index, default: 0]
      turns[index] = turn + 1
      session.followed = page.sessions[turn % page.sessions.count]
    }
    let own = page.bySession[session.followed] ?? page.all
    let n = session.counts[index, default: 0]
    session.counts[index] = n + 1
    sessions[name] = session
    return own[min(n, own.count - 1)]
  }

  /// The script that says again what was recorded.
  mutating func replay(
    _ index: Int, _ message: JSONRPCMessage, _ name: String?, _ now: Timestamp, _ id: ExchangeID
  ) -> LiveExchange {
    let recorded = book.exchanges[index]
    let requestID = message.id ?? RawJSON(.null)
    let tokens = LiveTokens(
      progress: message.content?.member("_meta")?.member("progressToken"),
      subscription: requestID)
    var steps: [ReplyScript.Step] = []
    if recorded.style == .sse {
      let head = ReplyScript.Action.eventStreamHead(status: recorded.status, session: name)
      steps.append(.init(at: 0, action: head))
      for interlude in recorded.interludes {
        guard let action = live(interlude, tokens, name, id) else { continue }
        steps.append(.init(at: atOnce ? 0 : interlude.at, action: action))
      }
    }
    let due = max(atOnce ? 0 : recorded.done, steps.last?.at ?? 0)
    func end(_ actions: ReplyScript.Action...) {
      steps += actions.map { .init(at: due, action: $0) }
    }
    switch (recorded.answer, recorded.style) {
    case (.result(let result), .sse):
      end(.event(.result(id: requestID, result)), .lastChunk, .end)
    case (.error(let error), .sse):
      end(.event(.error(id: requestID, error)), .lastChunk, .end)
    case (.result(let result), .json):
      end(.json(status: recorded.status, session: name, .result(id: requestID, result)), .end)
    case (.error(let error), .json):
      end(.json(status: recorded.status, session: name, .error(id: requestID, error)), .end)
    case (.body(let text), _):
      steps = []
      end(.bytes(HTTPAnswer.whole(recorded.status, session: name, body: ByteBuffer(string: text))))
      end(.end)
    case (.brokenOff, _): end(.hangUp)
    case (.silence, _): break
    }
    if recorded.losesSession, let name { sessions[name] = nil }
    if let name { sessions[name]?.calls[requestID] = id }
    return LiveExchange(
      script: ReplyScript(from: now, steps), session: name, call: name == nil ? nil : requestID)
  }

  /// What a recorded message on the answer's stream becomes for this client.
  private mutating func live(
    _ interlude: RecordedExchange.Interlude, _ tokens: LiveTokens, _ name: String?, _ id: ExchangeID
  ) -> ReplyScript.Action? {
    switch interlude.message {
    case .notification(let method, let recorded):
      guard let params = tokens.params(of: method, recorded) else { return nil }
      return .event(.notification(method: method, params: params))
    case .request(let method, let params, let answeredAt):
      guard let name, var session = sessions[name] else { return nil }
      let askID = RawJSON(.int(session.nextID))
      session.nextID += 1
      session.asked[askID] = id
      sessions[name] = session
      let question = LiveMessage.request(id: askID, method: method, params: params)
      guard let answeredAt else { return .event(question) }
      return .ask(id: askID, question, resume: atOnce ? 0 : answeredAt)
    }
  }

  /// An answer of the server's own, at once, in the style of the recorded ones.
  func direct(
    _ message: LiveMessage, status: Int, _ name: String?, _ now: Timestamp
  ) -> LiveExchange {
    let actions: [ReplyScript.Action] =
      book.prefersSSE && status == 200
      ? [.eventStreamHead(status: status, session: name), .event(message), .lastChunk, .end]
      : [.json(status: status, session: name, message), .end]
    return LiveExchange(
      script: ReplyScript(from: now, actions.map { .init(at: 0, action: $0) }), session: name)
  }

  /// -32601; 2026-07-28 mirrors it as 404.
  mutating func unknownMethod(
    _ message: JSONRPCMessage, _ name: String?, _ now: Timestamp
  ) -> LiveExchange {
    counts.unknown += 1
    let error = OwnAnswers.error(-32601, "Method not found: \(message.method)")
    let status = name == nil && book.isModern ? 404 : 200
    return direct(.error(id: message.id ?? RawJSON(.null), error), status: status, name, now)
  }
}
