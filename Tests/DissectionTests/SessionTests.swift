import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

private let initialize =
  #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#
private let initialized =
  #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","serverInfo":{"name":"s","version":"2"}}}"#

private func call(_ id: String, _ tool: String = "t", meta: String = "") -> String {
  #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":{}\#(meta)}}"#
}

private func result(_ id: String, _ members: String = #""content":[]"#) -> String {
  #"{"jsonrpc":"2.0","id":\#(id),"result":{\#(members)}}"#
}

private func modern(_ client: String) -> String {
  #","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"\#(client)","version":"1"}}"#
}

private let sid = "mcp-session-id: 5e55"

extension FlowScript {
  /// A handshake on one connection; the session is `5e55`.
  fileprivate mutating func handshake(_ flow: FlowID) {
    post(flow, initialize)
    pause(5)
    json(flow, initialized, sid)
    pause(1)
    post(flow, #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, sid)
    pause(1)
    send(flow, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
  }
}

struct `Sessions` {
  @Test func `begin with a 2xx answer to initialize that carries an id`() throws {
    var script = FlowScript()
    let a = script.open()
    script.handshake(a)
    script.pause(100)
    script.post(a, call("1"), sid)
    script.pause(20)
    script.json(a, result("1"), sid)
    script.pause(5)
    script.request(a, "DELETE", sid)
    script.pause(2)
    script.send(a, .s2c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    script.close(a)
    let trace = Dissected(script.events)

    let session = try #require(trace.sessions.first)
    #expect(trace.sessions.count == 1)
    #expect(session.key?.value == "5e55")
    #expect(session.key?.by == .mcpSessionID)
    #expect(session.revision == "2025-11-25")
    #expect(session.client == Implementation(name: "a", version: "1"))
    #expect(session.server == Implementation(name: "s", version: "2"))
    #expect(session.start == .seen)
    #expect(trace.requests.map(\.n) == [1, 4])
    let tool = trace.requests[1]
    #expect(tool.turn == 1)
    #expect(tool.after == [2])
    #expect(tool.afterBy == .protocol)
    #expect(tool.think == 102_000_000)
    #expect(tool.origin == .agent)
    #expect(tool.tool == "t")
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok"])
    #expect(trace.responses[1].done == 127_000_000)
    let delete = try #require(trace.http.first)
    #expect(delete.role == .delete)
    #expect(delete.after == [5])
    #expect(delete.done == 134_000_000)
    #expect(trace.ends.map(\.how) == [.deleted])
    #expect(trace.balances)
  }

  @Test func `ignore the phantom ids of refused requests`() {
    var script = FlowScript()
    let a = script.open()
    script.post(a, call("1"))
    script.json(
      a, #"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Missing"}}"#,
      status: 400, "mcp-session-id: phantom")
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.sessions.isEmpty)
    #expect(trace.requests.map(\.session) == [nil])
    #expect(trace.outcomes == ["- 1: jsonrpc_error"])
  }

  @Test func `are taken up in the middle when an unknown id is answered 2xx`() {
    var script = FlowScript()
    let a = script.open(fromStart: false)
    script.post(a, call("7"), sid)
    script.json(a, result("7"))
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.sessions.map(\.start) == [.cut])
    #expect(trace.requests.map(\.session) == ["s1"])
    #expect(trace.requests.map(\.turn) == [1])
  }

  @Test func `are not made of an unknown id that is refused`() {
    var script = FlowScript()
    let a = script.open()
    script.post(a, call("7"), sid)
    script.json(
      a, #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Session not found"}}"#,
      status: 404)
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.sessions.isEmpty)
    #expect(trace.outcomes == ["- 1: jsonrpc_error"])
  }

  @Test func `are lost when the server answers 404 to a known id`() {
    var script = FlowScript()
    let a = script.open()
    script.handshake(a)
    script.post(a, call("1"), sid)
    script.json(
      a, #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Session not found"}}"#,
      status: 404)
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: session_lost"])
    #expect(trace.ends.map(\.how) == [.lost])
  }

  @Test func `of 2026-07-28 are told apart by client info on one connection`() {
    var script = FlowScript()
    let a = script.open()
    for (id, client) in [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")] {
      script.post(a, call(id, meta: modern(client)), "mcp-protocol-version: 2026-07-28")
      script.pause(10)
      script.json(a, result(id))
      script.pause(50)
    }
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.requests.map(\.session) == ["s1", "s2", "s1", "s2"])
    #expect(trace.sessions.map(\.client?.name) == ["x", "y"])
    #expect(trace.sessions.map(\.key?.by) == [.clientInfo, .clientInfo])
    #expect(trace.ends.map(\.how) == [.closed, .closed])
  }

  @Test func `without ids are told apart by their id chains and credentials`() {
    var script = FlowScript()
    let (a, b) = (script.open(), script.open())
    script.post(a, initialize, "authorization: Bearer one")
    script.json(a, initialized)
    script.post(b, initialize, "authorization: Bearer two")
    script.json(b, initialized)
    for id in ["1", "2"] {
      for (flow, token) in [(a, "two"), (b, "one")] {
        script.post(flow, call(id, token), "authorization: Bearer \(token)")
        script.json(flow, result(id))
        script.pause(30)
      }
    }
    script.close(a)
    script.close(b)
    let trace = Dissected(script.events)
    let calls = trace.requests.filter { $0.method == "tools/call" }
    #expect(
      calls.map { "\($0.session ?? "-") \($0.tool ?? "")" } == [
        "s2 two", "s1 one", "s2 two", "s1 one",
      ])
    #expect(trace.sessions.map(\.key?.by) == [.credential, .credential])
  }

  @Test func `with an id begin at once although others are in doubt`() {
    var script = FlowScript()
    let flows = (0..<2).map { _ in script.open() }
    for flow in flows {
      script.post(flow, initialize)
      script.pause(5)
      script.json(flow, initialized)
    }
    // One connection a call: nothing tells whose these are.
    for flow in [script.open(), script.open()] {
      script.pause(100)
      script.post(flow, call("1"))
      script.pause(5)
      script.json(flow, result("1"))
    }
    let a = script.open()
    script.handshake(a)
    script.pause(10)
    script.post(a, call("1"), sid)
    script.pause(10)
    script.json(a, result("1"), sid)
    let trace = Dissected(script.events)
    let named = trace.sessions.filter { $0.key?.by == .mcpSessionID }
    #expect(Set(named.map(\.session)).count == 1)
    #expect(named.last?.start == .seen)
    let requests = trace.requests.filter { $0.session == named.first?.session }
    #expect(requests.map(\.method) == ["initialize", "tools/call"])
    #expect(requests.map(\.n) == [1, 4])
    #expect(trace.requests.count == 6)
  }

  @Test func `without ids are told apart as the user says`() {
    var script = FlowScript()
    let (a, b) = (script.open(), script.open())
    for id in 1...3 {
      for (flow, key) in [(a, "k1"), (b, id == 3 ? "k1" : "k2")] {
        script.post(flow, call("\(id)", meta: modern("same")), "authorization: \(key)")
        script.pause(5)
        script.json(flow, result("\(id)"))
        script.pause(5)
      }
    }
    func sessions(by key: SessionKey.By) -> [Int] {
      var options = DissectionOptions(redactor: nil)
      options.sessionKey = key
      let requests = Dissected(script.events, options: options).requests
      return Dictionary(grouping: requests, by: \.session).values.map(\.count).sorted()
    }
    #expect(sessions(by: .credential) == [2, 4])
    #expect(sessions(by: .connection) == [3, 3])
    #expect(sessions(by: .clientInfo) == [6])
  }

  @Test func `of one agent's run are linked when one is lost and begun again`() throws {
    var script = FlowScript()
    let a = script.open()
    script.handshake(a)
    script.pause(100)
    script.post(a, call("1"), sid)
    script.pause(1)
    script.send(a, .s2c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    script.pause(1000)
    script.post(a, initialize)
    script.pause(5)
    script.json(a, initialized, "mcp-session-id: 6f66")
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.ends.map(\.agent) == ["a1", "a1"])
    #expect(Set(trace.sessions.compactMap(\.agent)) == ["a1"])
  }

  @Test func `name who is authorised by a JWT, however often it is renewed`() {
    func token(_ claims: String) -> String {
      let text = Base64.encode(ByteBuffer(string: claims))
      return "authorization: Bearer e30." + text.filter { $0 != "=" } + ".c2ln"
    }
    var script = FlowScript()
    let a = script.open()
    for id in 1...3 {
      let claims = #"{"iss":"i","sub":"s","client_id":"c","exp":\#(id)}"#
      script.post(a, call("\(id)", meta: modern("m")), token(claims))
      script.pause(5)
      script.json(a, result("\(id)"))
      script.pause(5)
    }
    let trace = Dissected(script.events)
    #expect(trace.ends.count == 1)
    #expect(trace.ends.first?.key.by == .credential)
    #expect(trace.sessions.last?.principal?.count == 16)
  }

  @Test func `a probe that a legacy server answers belongs to none`() {
    var script = FlowScript()
    let a = script.open()
    script.post(a, #"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}"#)
    script.json(a, result("1", #""supportedVersions":["2025-11-25"]"#))
    script.handshake(a)
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.sessions.map(\.session) == ["s1"])
    #expect(trace.requests.map(\.session) == [nil, "s1"])
    #expect(trace.outcomes == ["- 1: ok", "s1 1: ok"])
  }

  @Test func `are not made of an initialize that fails with 200`() {
    var script = FlowScript()
    let a = script.open()
    script.post(a, initialize)
    script.json(a, #"{"jsonrpc":"2.0","id":0,"error":{"code":-32600,"message":"no"}}"#)
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.sessions.isEmpty)
    #expect(trace.outcomes == ["- 1: jsonrpc_error"])
  }

  @Test func `end as idle after silence`() {
    var script = FlowScript()
    let a = script.open()
    script.handshake(a)
    script.close(a)
    script.pause(1_900_000)
    let b = script.open()
    script.close(b)
    let trace = Dissected(script.events)
    #expect(trace.ends.map(\.how) == [.idle])
  }
}

struct `Answers` {
  @Test func `on the GET stream belong to the POST that asked`() throws {
    var script = FlowScript()
    let (a, b) = (script.open(), script.open())
    script.handshake(a)
    script.request(b, "GET", sid, "accept: text/event-stream")
    script.stream(b)
    script.pause(10)
    script.post(a, call("1"), sid)
    script.pause(10)
    script.stream(a, sid)
    script.chunk(a, "id: 1::1\r\ndata: \r\nretry: 300\r\n\r\n")
    script.lastChunk(a)
    script.pause(50)
    script.event(b, result("1"))
    script.close(a)
    script.close(b)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 5: ok"])
    let answer = try #require(trace.responses.last)
    #expect(answer.via == .getSSE)
    #expect(answer.x == 3)
    #expect(answer.done == 77_000_000)
    #expect(trace.http.map(\.role) == [.streamOpen, .streamClose])
  }

  @Test func `carry the time of the event's last byte`() throws {
    var script = FlowScript()
    let a = script.open()
    script.post(a, initialize)
    script.pause(5)
    script.stream(a, sid)
    let event = "event: message\r\ndata: \(initialized)\r\n\r\n"
    script.send(a, .s2c, "\(String(event.utf8.count, radix: 16))\r\n\(event.prefix(40))")
    script.pause(7)
    script.send(a, .s2c, "\(event.dropFirst(40))\r\n")
    script.pause(9)
    script.lastChunk(a)
    script.close(a)
    let answer = try #require(Dissected(script.events).responses.first)
    #expect(answer.t == 5_000_000)
    #expect(answer.done == 12_000_000)
    #expect(answer.via == .postSSE)
  }

  @Test func `to the server's own requests go the other way`() throws {
    var script = FlowScript()
    let (a, b) = (script.open(), script.open())
    script.handshake(a)
    script.post(a, call("1"), sid)
    script.stream(a)
    script.event(
      a, #"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"who"}}"#)
    script.pause(10)
    script.post(b, #"{"jsonrpc":"2.0","id":1,"result":{"action":"accept"}}"#, sid)
    script.send(b, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    script.event(a, result("1"))
    script.lastChunk(a)
    script.close(a)
    script.close(b)
    let trace = Dissected(script.events)
    let asked = try #require(trace.requests.first { $0.dir == .s2c })
    let told = try #require(trace.responses.first { $0.dir == .c2s })
    #expect(told.re == asked.n)
    #expect(told.status == 202)
    #expect(trace.responses.map(\.outcome) == [.ok, .ok, .ok])
    #expect(trace.balances)
  }

  @Test func `of a batch are matched one by one`() {
    var script = FlowScript()
    let a = script.open()
    script.handshake(a)
    script.post(a, "[\(call("1", "p")),\(call("2", "q"))]", sid)
    script.json(a, "[\(result("2")),\(result("1", #""isError":true"#))]")
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.requests.map(\.batch) == [nil, 0, 1])
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: tool_error", "s1 5: ok"])
    #expect(Set(trace.requests.compactMap(\.x)) == [1, 3])
  }

  @Test func `that never come are told by who went away`() {
    var script = FlowScript()
    let (a, b, c, d) = (script.open(), script.open(), script.open(), script.open())
    script.handshake(a)
    for (flow, id) in [(b, "1"), (c, "2"), (d, "3")] { script.post(flow, call(id), sid) }
    script.pause(300)
    script.end(b, .c2s)
    script.pause(1)
    script.end(b, .s2c)
    script.end(c, .s2c)
    script.end(c, .c2s)
    let trace = Dissected(script.events)
    #expect(
      trace.outcomes == [
        "s1 1: ok", "s1 4: cancelled", "s1 5: transport_error", "s1 6: unanswered",
      ])
    #expect(trace.responses.map(\.by) == [.server, .client, .server, .capture])
    #expect(trace.ends.map(\.how) == [.captureEnd])
  }

  @Test func `cancelled by a notification say so, even when one still comes`() {
    var script = FlowScript()
    let (a, b) = (script.open(), script.open())
    script.handshake(a)
    script.post(a, call("1"), sid)
    script.pause(50)
    script.post(
      b, #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, sid)
    script.send(b, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    script.json(a, #"{"jsonrpc":"2.0","id":1,"error":{"code":0,"message":"Request cancelled"}}"#)
    script.close(a)
    script.close(b)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: cancelled"])
    #expect(trace.responses.last?.cancelledBy == 5)
    #expect(trace.notifications.last?.re == 4)
  }

  @Test func `of 401 make the repetition a retry`() {
    var script = FlowScript()
    let a = script.open()
    script.post(a, initialize)
    script.json(a, #"{"error":"invalid_token","error_description":"no"}"#, status: 401)
    script.post(a, initialize, "authorization: Bearer x")
    script.json(a, initialized, sid)
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["- 1: http_error", "s1 1: ok"])
    #expect(trace.requests.map(\.retryOf) == [nil, 1])
  }

  @Test func `captured before their requests still find them`() {
    var script = FlowScript()
    let a = script.open()
    script.json(a, initialized, sid)
    script.post(a, initialize)
    script.close(a)
    #expect(Dissected(script.events).outcomes == ["s1 1: ok"])
  }

  @Test func `that come before their request has ended are told behind it`() {
    var script = FlowScript()
    let a = script.open()
    script.send(
      a, .c2s, "POST /mcp HTTP/1.1\r\nHost: h:80\r\nContent-Length: 4000000\r\n\r\n{\"jsonrpc\":")
    script.send(a, .s2c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
    script.pause(5)
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.http.map(\.status) == [413])
    #expect(trace.balances)
  }

  @Test func `are found although what the client sends is no HTTP`() {
    var script = FlowScript()
    let a = script.open()
    script.send(a, .c2s, "\u{1}\u{2}\u{3} no request at all\r\n")
    script.send(a, .s2c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.http.map(\.status) == [400])
    #expect(trace.balances)
  }

  @Test func `wait for a request that never ends only so long`() {
    var script = FlowScript()
    let a = script.open()
    script.send(
      a, .c2s, "POST /mcp HTTP/1.1\r\nHost: h:80\r\nContent-Length: 900000000\r\n\r\n")
    script.send(a, .s2c, "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n")
    for _ in 0..<50 { script.send(a, .s2c, String(repeating: "x", count: 100_000)) }
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.http.map(\.status) == [200])
    #expect(trace.balances)
  }

  @Test func `behind a lost request stand alone and shift no pair`() {
    var script = FlowScript()
    let a = script.open()
    script.handshake(a)
    script.lose(a, .c2s, 300)
    script.pause(1)
    script.json(a, result("1"))
    script.pause(1)
    script.post(a, call("2"), sid)
    script.pause(1)
    script.json(a, result("2"))
    script.close(a)
    let trace = Dissected(script.events)
    #expect(trace.outcomes == ["s1 1: ok", "s1 4: ok"])
    #expect(trace.losses.map(\.kind) == ["tcp.gap"])
    #expect(trace.balances)
  }
}

struct `Turns` {
  @Test func `hold what is sent together, and what comes within the sibling gap`() {
    var script = FlowScript()
    let flows = (0..<4).map { _ in script.open() }
    script.handshake(flows[0])
    script.pause(1000)
    script.post(flows[0], call("1"), sid)
    script.post(flows[1], call("2"), sid)
    script.pause(4)
    script.json(flows[0], result("1"))
    script.pause(4)
    script.post(flows[2], call("3"), sid)
    script.pause(10)
    script.json(flows[1], result("2"))
    script.json(flows[2], result("3"))
    script.pause(500)
    script.post(flows[3], call("4"), sid)
    script.json(flows[3], result("4"))
    for flow in flows { script.close(flow) }
    let calls = Dissected(script.events).requests.filter { $0.method == "tools/call" }
    #expect(calls.map(\.turn) == [1, 1, 1, 2])
    #expect(calls.map(\.after) == [[2], [2], [2], [6, 8, 9]])
    #expect(calls.map(\.afterBy) == [.protocol, .protocol, .protocol, .order])
  }

  @Test func `are not begun by what an SDK sends by itself`() {
    var script = FlowScript()
    let a = script.open()
    script.handshake(a)
    script.pause(1000)
    script.post(a, call("1"), sid)
    script.pause(30)
    script.json(a, result("1"))
    script.pause(3)
    script.post(a, #"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#, sid)
    script.pause(3)
    script.json(a, result("2", #""tools":[{"name":"t"}]"#))
    script.pause(900)
    script.post(a, call("3"), sid)
    script.json(a, result("3"))
    script.close(a)
    let requests = Dissected(script.events).requests
    #expect(requests.map(\.origin) == [.sdk, .agent, .sdk, .agent])
    #expect(requests.map(\.turn) == [0, 1, 1, 2])
    #expect(requests.last?.after == [7])
    #expect(requests.last?.think == 900_000_000)
  }
}
