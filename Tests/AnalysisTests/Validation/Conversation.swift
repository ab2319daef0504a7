import Basics
import TestKit
import Trace

/// A valid session with all that the rules speak of. Message `n` stands in line `n + 2` of its trace:
/// the header and the session come first.
enum Conversation {
  static var script: TraceScript {
    var script = TraceScript()
    let initialize = script.sdk("initialize", at: 0)
    let ready = script.answer(initialize, at: 5)
    script.next { session, n, x in
      var line = NotificationLine(
        session: session, n: n, t: 10_000_000, dir: .c2s, method: "notifications/initialized")
      line.after = [ready]
      line.think = 5_000_000
      line.x = x
      return .notification(line)
    }
    var stream = 0
    script.next { session, n, x in
      stream = x
      return http(session, n, x, t: 11, .streamOpen)
    }
    let left = script.call("a", at: 1000, turn: 1, after: [ready])
    let right = script.call("b", at: 1005, turn: 1, after: [ready])
    let answers = [script.answer(left, at: 1100), script.answer(right, at: 1200, .toolError)]
    let refused = script.call("c", at: 3000, turn: 2, after: answers)
    let refusal = script.answer(refused, at: 3010, .httpError)
    let repeated = script.call("c", at: 3020, turn: 2, after: [refusal]) { $0.retryOf = refused }
    script.answer(repeated, at: 3100)
    script.answer(script.sdk("tools/list", at: 3200, turn: 2), at: 3210)
    let asked = script.next { session, n, _ in
      var line = RequestLine(
        session: session, n: n, t: 3_300_000_000, dir: .s2c, id: RawJSON(.int(1)),
        method: "roots/list")
      line.x = stream
      return .request(line)
    }
    script.next { session, n, x in
      var line = ResponseLine(
        session: session, n: n, re: asked, t: 3_310_000_000, dir: .c2s, outcome: .ok)
      line.x = x
      return .response(line)
    }
    script.next { session, n, _ in http(session, n, stream, t: 4000, .streamClose) }
    script.end(at: 5000)
    return script
  }

  private static func http(
    _ session: String, _ n: Int, _ x: Int, t: Int64, _ role: HTTPLine.Role
  ) -> TraceEvent {
    var line = HTTPLine(x: x, conn: 1, t: t * 1_000_000, method: "GET", target: "/mcp", role: role)
    line.session = session
    line.n = n
    line.status = 200
    return .http(line)
  }
}
