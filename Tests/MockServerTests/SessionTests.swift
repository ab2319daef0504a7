import Basics
import MockServer
import Testing

@Suite struct `Sessions` {
  private let stateful = recording {
    $0.session("s1")
    $0.handshake("s1")
    $0.call("s1", 3, "f", "{}", takes: 1, text: "a")
    $0.add(
      #"{"type":"http","session":"s1","n":20,"x":20,"conn":1,"t":1000000000,"method":"GET","target":"/mcp","role":"stream-open","status":200}"#
    )
    $0.add(
      #"{"type":"notification","session":"s1","n":21,"t":1500000000,"dir":"s2c","method":"notifications/tools/list_changed","x":20}"#
    )
  }

  @Test func `get an id of their own and the recorded handshake`() throws {
    var stage = try Stage(stateful)
    let first = stage.answer("POST", [], Stage.initialize())
    let second = stage.answer("POST", [], Stage.initialize())
    let result =
      #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","of":"s1"}}"#
    #expect(first.events == [Stage.Line(5, result)])
    #expect(first.session?.utf8.count == 32)
    #expect(first.session != second.session)
    #expect(stage.server.openSessions == 2)
  }

  @Test func `are demanded: none is 400, an unknown one 404`() throws {
    var stage = try Stage(stateful)
    for method in ["POST", "GET", "DELETE"] {
      let none = stage.answer(method, [], Stage.call("f", "{}"))
      #expect(none.status == 400)
      let unknown = stage.answer(
        method, [HeaderField("mcp-session-id", "x")], Stage.call("f", "{}"))
      #expect(unknown.status == 404)
      #expect(
        unknown.body?.text
          == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Session not found"}}"#
      )
    }
    #expect(stage.server.counts.refused == 6)
  }

  @Test func `take notifications with 202`() throws {
    var stage = try Stage(stateful)
    let session = stage.initialize()
    let seen = stage.answer(
      "POST", session, #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
    #expect(seen.status == 202)
    #expect(seen.body == nil)
  }

  @Test func `hold one GET stream with its messages until DELETE`() throws {
    var stage = try Stage(stateful)
    let session = stage.initialize()
    stage.run(to: 2000)
    let stream = stage.send("GET", session)
    #expect(stage.answer("GET", session).status == 409)
    stage.run(to: 20_000)
    let changed =
      #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
    #expect(
      stage.seen(stream).events
        == [Stage.Line(2500, changed), Stage.Line(17_500, ": ping")])
    #expect(stage.seen(stream).ending == nil)
    #expect(stage.answer("DELETE", session).status == 200)
    #expect(stage.seen(stream).ending == .keepAlive)
    #expect(stage.answer("POST", session, Stage.call("f", "{}")).status == 404)
    #expect(stage.server.openSessions == 0)
  }

  @Test func `go on with the GET stream where a client comes back`() throws {
    var stage = try Stage(stateful)
    let session = stage.initialize()
    let first = stage.send("GET", session)
    stage.run(to: 300)
    stage.server.abandon(first)
    let second = stage.send("GET", session)
    stage.run(to: 1000)
    #expect(stage.seen(second).events.map(\.at) == [505])
  }

  @Test func `refuse streams as the recorded server did`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1")
        $0.handshake("s1")
        $0.add(
          #"{"type":"http","session":"s1","n":20,"x":20,"conn":1,"t":9,"method":"GET","target":"/mcp","role":"stream-open","status":405}"#
        )
      })
    #expect(stage.answer("GET", stage.initialize()).status == 405)
  }

  @Test func `are lost where the recorded one was`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1")
        $0.handshake("s1")
        $0.exchange(
          "s1", 3, "ping", takes: 1, #""error":{"code":-32600,"message":"Session not found"}"#,
          outcome: "session_lost", status: 404, via: "json")
      })
    let session = stage.initialize()
    let ping = #"{"jsonrpc":"2.0","id":3,"method":"ping"}"#
    #expect(stage.answer("POST", session, ping).status == 404)
    #expect(stage.server.openSessions == 0)
  }

  @Test func `have no id where the recorded server was stateless`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1", .stateless)
        $0.handshake("s1")
        $0.call("s1", 3, "f", "{}", takes: 1, text: "a")
      })
    let seen = stage.answer("POST", [], Stage.initialize())
    #expect(seen.status == 200)
    #expect(seen.session == nil)
    #expect(stage.call([HeaderField("mcp-session-id", "whatever")], "f", "{}") == "a")
    #expect(stage.answer("GET").status == 405)
  }

  @Test func `do not exist in revision 2026-07-28`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1", .modern)
        $0.exchange(
          "s1", 1, "server/discover", takes: 1, #""result":{"supportedVersions":["2026-07-28"]}"#,
          via: "json")
        $0.call("s1", 3, "f", "{}", takes: 1, text: "a", via: "json")
      })
    let version = [HeaderField("mcp-protocol-version", "2026-07-28")]
    let meta = #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#
    let discover = stage.answer(
      "POST", version,
      #"{"jsonrpc":"2.0","id":"server-discover-probe-1","method":"server/discover","params":\#(meta)}"#
    )
    #expect(
      discover.body?.text
        == #"{"jsonrpc":"2.0","id":"server-discover-probe-1","result":{"supportedVersions":["2026-07-28"]}}"#
    )
    #expect(discover.session == nil)
    let ping = stage.answer(
      "POST", version, #"{"jsonrpc":"2.0","id":2,"method":"ping2","params":\#(meta)}"#)
    #expect(ping.status == 404)
    #expect(
      ping.body?.text
        == #"{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"Method not found: ping2"}}"#
    )
    #expect(stage.answer("GET", version).status == 405)
    #expect(stage.answer("DELETE", version).status == 405)
  }
}
