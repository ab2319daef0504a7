import Basics
import NIOCore
import Wire

/// GET and DELETE: the parts of a legacy session that are not JSON-RPC requests.
extension ScriptedServer {
  /// What the session header of a request means to this server.
  enum SessionLookup {
    case found(String)
    case none
    case missing
    case unknown
  }

  func lookUp(_ head: HTTPRequestHead) -> SessionLookup {
    guard book.isStateful else { return .none }
    guard let name = head.fields.first("mcp-session-id") else { return .missing }
    return sessions[name] == nil ? .unknown : .found(name)
  }

  mutating func openStream(
    _ head: HTTPRequestHead, _ now: Timestamp, _ id: ExchangeID
  ) -> LiveExchange {
    if let status = book.streamStatus, status >= 400 {
      return refuse(status, nil, now, allow: status == 405 ? "POST, DELETE" : nil)
    }
    switch lookUp(head) {
    case .found(let name):
      guard var session = sessions[name], session.stream == nil else {
        return refuse(409, "Only one event stream is allowed per session", now)
      }
      let base = session.streamBase ?? now
      session.stream = id
      session.streamBase = base
      session.lastSeen = now
      let steps = streamSteps(&session, from: base, now)
      sessions[name] = session
      let opening = ReplyScript.Step(
        at: 0, action: .eventStreamHead(status: 200, session: name))
      return LiveExchange(script: ReplyScript(from: now, [opening] + steps), session: name)
    case .none:
      guard book.streamStatus != nil else { return refuse(405, nil, now, allow: "POST") }
      let opening = ReplyScript.Step(at: 0, action: .eventStreamHead(status: 200, session: nil))
      return LiveExchange(script: ReplyScript(from: now, [opening]))
    case .missing: return refuse(400, "Missing session ID", now)
    case .unknown: return refuse(404, "Session not found", now)
    }
  }

  /// The recorded messages of the GET stream that are still to come, as offsets from `now`.
  private func streamSteps(
    _ session: inout LiveSession, from base: Timestamp, _ now: Timestamp
  ) -> [ReplyScript.Step] {
    var steps: [ReplyScript.Step] = []
    for interlude in book.sessions[session.followed].streamMessages {
      let at = base + interlude.at - now
      guard at >= 0 else { continue }
      switch interlude.message {
      case .notification(let method, let params):
        let message = LiveMessage.notification(method: method, params: params)
        steps.append(.init(at: at, action: .event(message)))
      case .request(let method, let params, _):
        let id = RawJSON(.int(session.nextID))
        session.nextID += 1
        let message = LiveMessage.request(id: id, method: method, params: params)
        steps.append(.init(at: at, action: .event(message)))
      }
    }
    return steps
  }

  mutating func delete(
    _ head: HTTPRequestHead, _ now: Timestamp, _ reception: inout Reception
  ) -> LiveExchange {
    switch lookUp(head) {
    case .found(let name):
      let status = book.deleteStatus ?? 200
      if status < 400, let session = sessions.removeValue(forKey: name),
        let stream = session.stream
      {
        exchanges[stream]?.script.cut([], at: now)
        reception.awakened.append(stream)
      }
      return immediate(HTTPAnswer.whole(status, session: name), now)
    case .none: return refuse(405, nil, now, allow: book.allowedMethods)
    case .missing: return refuse(400, "Missing session ID", now)
    case .unknown: return refuse(404, "Session not found", now)
    }
  }

  /// Opens a session that follows a recorded one; `nil` when there are too many.
  mutating func mintSession(following recorded: Int, _ now: Timestamp) -> String? {
    if sessions.count >= ScriptedServer.sessionLimit {
      sessions = sessions.filter {
        !$0.value.isIdle || now - $0.value.lastSeen < ScriptedServer.sessionIdle
      }
      guard sessions.count < ScriptedServer.sessionLimit else { return nil }
    }
    let name = random.sessionID()
    sessions[name] = LiveSession(followed: recorded, now: now)
    counts.sessions += 1
    return name
  }
}
