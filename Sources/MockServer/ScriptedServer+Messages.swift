import Basics
import MCP
import NIOCore
import Trace
import Wire

/// POST: one JSON-RPC message.
extension ScriptedServer {
  mutating func post(
    _ head: HTTPRequestHead, _ body: ByteBuffer, _ now: Timestamp, _ reception: inout Reception
  ) -> LiveExchange {
    guard case .single(let message) = JSONRPCPayload(body) else {
      if case .batch = JSONRPCPayload(body) {
        return refuse(400, "Batches are not supported", now, code: -32602)
      }
      return refuse(400, "Parse error", now, code: -32700)
    }
    if message.kind == .request, message.method == Method.initialize, !isModern(head, message) {
      return initialize(head, message, now, reception.exchange)
    }
    var name: String?
    if book.isStateful, !(book.isModern && isModern(head, message)) {
      switch lookUp(head) {
      case .found(let found): name = found
      case .unknown: return refuse(404, "Session not found", now)
      case .missing, .none:
        if !book.isStateless { return refuse(400, "Missing session ID", now) }
      }
    }
    if let name { sessions[name]?.lastSeen = now }
    switch message.kind {
    case .request: return answer(head, message, name, now, reception.exchange)
    case .notification:
      if message.method == Method.cancelled, let name {
        cancel(message, name, now, &reception)
      }
      return immediate(HTTPAnswer.whole(202, session: name), now)
    case .result, .error:
      if let name, let id = message.id, let asking = sessions[name]?.asked.removeValue(forKey: id),
        exchanges[asking]?.script.answered(id, at: now) == true
      {
        reception.awakened.append(asking)
      }
      return immediate(HTTPAnswer.whole(202, session: name), now)
    }
  }

  /// 2026-07-28 and later say their revision in the header and in every `_meta`.
  private func isModern(_ head: HTTPRequestHead, _ message: JSONRPCMessage) -> Bool {
    let version = message.content?.member("_meta")?.member(
      "io.modelcontextprotocol/protocolVersion")
    return [head.fields.first("mcp-protocol-version"), version?.string].contains {
      $0.map { Revision($0).isStateless } == true
    }
  }

  private mutating func cancel(
    _ message: JSONRPCMessage, _ name: String, _ now: Timestamp, _ reception: inout Reception
  ) {
    guard let id = message.content?.member("requestId"), let call = sessions[name]?.calls[id],
      let script = exchanges[call]?.script
    else { return }
    let answer = LiveMessage.error(id: id, OwnAnswers.error(0, "Request cancelled"))
    exchanges[call]?.script.cut(
      [script.isStreaming ? .event(answer) : .json(status: 200, session: name, answer)], at: now)
    reception.awakened.append(call)
  }

  // MARK: initialize

  private mutating func initialize(
    _ head: HTTPRequestHead, _ message: JSONRPCMessage, _ now: Timestamp, _ id: ExchangeID
  ) -> LiveExchange {
    guard let recorded = recordedSession(for: message) else {
      return unknownMethod(message, nil, now)
    }
    let requestID = message.id ?? RawJSON(.null)
    var name: String?
    if book.sessions[recorded].isStateful {
      if case .found(let known) = lookUp(head) { name = known }
      name = name ?? mintSession(following: recorded, now)
      guard name != nil else { return refuse(503, "Too many sessions", now, id: requestID) }
    }
    initializations += 1
    if let index = book.sessions[recorded].initialize {
      counts.asRecorded += 1
      return replay(index, message, name, now, id)
    }
    counts.standIns += 1
    return direct(
      .result(id: requestID, OwnAnswers.handshake(of: book.sessions[recorded])), status: 200, name,
      now)
  }

  /// Whom a new client resembles: a recorded session of the same client, in turn.
  private func recordedSession(for message: JSONRPCMessage) -> Int? {
    let legacy = book.sessions.indices.filter {
      book.sessions[$0].initialize != nil
        || (book.sessions[$0].revision != nil && !book.sessions[$0].isModern)
    }
    let info = message.content?.member("clientInfo")
    let client = Implementation(
      name: info?.member("name")?.string ?? "", version: info?.member("version")?.string ?? "")
    let seen = legacy.filter { book.sessions[$0].initialize != nil }
    let same = seen.filter { book.sessions[$0].client == client }
    let candidates = same.isEmpty ? (seen.isEmpty ? legacy : seen) : same
    return candidates.isEmpty ? nil : candidates[initializations % candidates.count]
  }
}
