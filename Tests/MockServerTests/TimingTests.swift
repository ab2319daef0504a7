import Basics
import MockServer
import Testing

@Suite struct `Service times` {
  private func server(_ build: (inout Recording) -> Void) -> Recording {
    recording {
      $0.session("s1")
      $0.handshake("s1", takes: 0)
      build(&$0)
    }
  }

  @Test(arguments: ["json", "post-sse"])
  func `answer after the recorded time, not before`(via: String) throws {
    var stage = try Stage(
      server { $0.call("s1", 3, "f", "{}", at: 50, takes: 70, text: "a", via: via) })
    let session = stage.initialize()
    stage.run(to: 1000)
    let id = stage.send("POST", session, Stage.call("f", "{}", id: #""q-1""#))
    stage.run(to: 1069)
    let isStream = via == "post-sse"
    var expected = Stage.Seen()
    if isStream {
      expected.status = 200
      expected.session = session.first?.value
      expected.type = "text/event-stream"
      expected.at = 1000
    }
    #expect(stage.seen(id) == expected)
    stage.run(to: 2000)
    let text = #"{"jsonrpc":"2.0","id":"q-1","result":{"text":"a"}}"#
    expected.status = 200
    expected.session = session.first?.value
    expected.type = isStream ? "text/event-stream" : "application/json"
    expected.at = isStream ? 1000 : 1070
    if isStream {
      expected.events = [Stage.Line(1070, text)]
    } else {
      expected.body = Stage.Line(1070, text)
    }
    expected.ending = .keepAlive
    expected.endedAt = 1070
    #expect(stage.seen(id) == expected)
  }

  private func withProgress() -> Recording {
    server {
      $0.call("s1", 3, "slow", "{}", at: 100, takes: 300, text: "a")
      for (n, at) in [(5, 200), (6, 350)] {
        $0.add(
          #"{"type":"notification","session":"s1","n":\#(n),"t":\#(at)000000,"dir":"s2c","method":"notifications/progress","re":3,"x":3,"params":{"progressToken":3,"progress":\#(n)}}"#
        )
      }
    }
  }

  @Test func `pace notifications on the answer's stream, with the live progress token`() throws {
    var stage = try Stage(withProgress())
    let session = stage.initialize()
    stage.run(to: 1000)
    let call = Stage.call("slow", "{}", meta: #"{"progressToken":"mine"}"#)
    func progress(_ at: Int, _ n: Int) -> Stage.Line {
      Stage.Line(
        at,
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"mine","progress":\#(n)}}"#
      )
    }
    let answer = #"{"jsonrpc":"2.0","id":7,"result":{"text":"a"}}"#
    #expect(
      stage.answer("POST", session, call).events
        == [progress(1100, 5), progress(1250, 6), Stage.Line(1300, answer)])
  }

  @Test func `send no progress to a client that gave no token`() throws {
    var stage = try Stage(withProgress())
    let session = stage.initialize()
    let events = stage.answer("POST", session, Stage.call("slow", "{}")).events
    #expect(events == [Stage.Line(300, #"{"jsonrpc":"2.0","id":7,"result":{"text":"a"}}"#)])
  }

  @Test func `are left out when all is answered at once`() throws {
    var stage = try Stage(withProgress(), atOnce: true)
    let session = stage.initialize()
    let call = Stage.call("slow", "{}", meta: #"{"progressToken":1}"#)
    let seen = stage.answer("POST", session, call)
    #expect(seen.events.map(\.at) == [0, 0, 0])
    #expect(seen.endedAt == 0)
  }

  @Test func `wait for the client's answer to a question on the way`() throws {
    var stage = try Stage(
      server {
        $0.call("s1", 3, "book", "{}", at: 100, takes: 300, text: "a")
        $0.add(
          #"{"type":"request","session":"s1","n":5,"t":150000000,"dir":"s2c","id":41,"method":"elicitation/create","x":3,"params":{"message":"who?"}}"#
        )
        $0.add(
          #"{"type":"response","session":"s1","n":6,"re":5,"t":320000000,"done":320000000,"dir":"c2s","outcome":"ok","x":9,"result":{}}"#
        )
      })
    let session = stage.initialize()
    let call = stage.send("POST", session, Stage.call("book", "{}"))
    stage.run(to: 5000)
    let question =
      #"{"jsonrpc":"2.0","id":0,"method":"elicitation/create","params":{"message":"who?"}}"#
    #expect(stage.seen(call).events == [Stage.Line(50, question)])
    let stranger = stage.answer("POST", session, #"{"jsonrpc":"2.0","id":5,"result":{}}"#)
    #expect(stranger.status == 202)
    stage.run(to: 6000)
    #expect(stage.seen(call).events.count == 1)
    #expect(
      stage.answer("POST", session, #"{"jsonrpc":"2.0","id":0,"result":{"action":"accept"}}"#)
        .status == 202)
    stage.run(to: 7000)
    let answer = #"{"jsonrpc":"2.0","id":7,"result":{"text":"a"}}"#
    #expect(stage.seen(call).events == [Stage.Line(50, question), Stage.Line(6080, answer)])
    #expect(stage.seen(call).ending == .keepAlive)
  }

  @Test func `fill long silence with comments`() throws {
    var stage = try Stage(server { $0.call("s1", 3, "f", "{}", takes: 40_000, text: "a") })
    let session = stage.initialize()
    let events = stage.answer("POST", session, Stage.call("f", "{}")).events
    #expect(events.map(\.at) == [15_000, 30_000, 40_000])
    #expect(events.first?.text == ": ping")
  }

  @Test func `end early when the client cancels`() throws {
    var stage = try Stage(
      server {
        $0.call("s1", 3, "f", "{}", takes: 9000, text: "a")
        $0.call("s1", 5, "g", "{}", takes: 9000, text: "a", via: "json")
      })
    let session = stage.initialize()
    for tool in ["f", "g"] {
      let call = stage.send("POST", session, Stage.call(tool, "{}", id: "12"))
      stage.run(to: stage.now + 100)
      let cancel =
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":12}}"#
      #expect(stage.answer("POST", session, cancel).status == 202)
      let text = #"{"jsonrpc":"2.0","id":12,"error":{"code":0,"message":"Request cancelled"}}"#
      let seen = stage.seen(call)
      #expect((seen.body ?? seen.events.first)?.text == text)
      #expect(seen.endedAt == stage.now)
    }
  }

  @Test func `end with a broken connection or in silence where the recording did`() throws {
    var stage = try Stage(
      server {
        $0.exchange(
          "s1", 3, "tools/call", #"{"name":"break"}"#, takes: 30, "", outcome: "transport_error",
          via: "json")
        $0.exchange(
          "s1", 5, "subscriptions/listen", takes: 30, "", outcome: "cancelled", via: "json")
      })
    let session = stage.initialize()
    let broken = stage.answer("POST", session, Stage.call("break", "{}"))
    #expect(broken == Stage.Seen(ending: .hangUp, endedAt: 30))
    let hanging = stage.send(
      "POST", session, #"{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen"}"#)
    stage.run(to: 100_000)
    #expect(stage.seen(hanging) == Stage.Seen())
  }

  @Test func `are twice the wait where the recorded client gave up a call`() throws {
    var stage = try Stage(
      server {
        for (n, tool) in [(3, "f"), (5, "g")] {
          $0.exchange(
            "s1", n, "tools/call", #"{"name":"\#(tool)","arguments":{"n":9}}"#, takes: 300, "",
            outcome: "cancelled", via: "json")
        }
        $0.call("s1", 7, "f", #"{"n":1}"#, takes: 20, text: "a", via: "json")
      })
    let session = stage.initialize()
    let other = stage.answer("POST", session, Stage.call("f", #"{"n":9}"#))
    #expect(other.body == Stage.Line(600, #"{"jsonrpc":"2.0","id":7,"result":{"text":"a"}}"#))
    let none = stage.answer("POST", session, Stage.call("g", #"{"n":9}"#))
    let text =
      #"{"content":[{"type":"text","text":"No answer to this call was recorded"}],"isError":true}"#
    #expect(none.body == Stage.Line(1200, #"{"jsonrpc":"2.0","id":7,"result":\#(text)}"#))
  }

  @Test func `begin with the head of a stream that then broke`() throws {
    var stage = try Stage(
      server {
        $0.add(
          #"{"type":"request","session":"s1","n":3,"t":0,"dir":"c2s","id":3,"method":"tools/call","tool":"f","x":3,"params":{"name":"f"}}"#
        )
        $0.add(
          #"{"type":"response","session":"s1","n":4,"re":3,"t":1000000,"done":90000000,"dir":"s2c","outcome":"transport_error","by":"server","status":200,"x":3,"headers":[["Content-Type","text/event-stream"]]}"#
        )
      })
    let session = stage.initialize()
    let seen = stage.answer("POST", session, Stage.call("f", "{}"))
    #expect(
      seen
        == Stage.Seen(
          status: 200, session: session.first?.value, type: "text/event-stream", at: 0,
          ending: .hangUp, endedAt: 90))
  }
}
