import MockServer
import Testing

@Suite struct `Exchange book` {
  @Test func `answers the n-th same call with the n-th answer and repeats the last`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1")
        $0.handshake("s1")
        $0.call("s1", 3, "poll", #"{"id":1}"#, at: 10, takes: 1, text: "working")
        $0.call("s1", 5, "poll", #"{"id":2}"#, at: 20, takes: 1, text: "other")
        $0.call("s1", 7, "poll", #"{"id":1}"#, at: 30, takes: 1, text: "done")
      })
    for _ in 0..<2 {
      let session = stage.initialize()
      let texts = (0..<3).map { _ in stage.call(session, "poll", #"{"id":1}"#) }
      #expect(texts == ["working", "done", "done"])
    }
  }

  @Test(arguments: [
    (#"{"a":1,"b":{"c":2,"d":3}}"#, "here"), (#"{ "b" : {"d":3,"c":2}, "a" : 1 }"#, "here"),
    (#"{"a":1.0,"b":{"c":2,"d":3}}"#, "there"), (#"{"a":0,"a":1,"b":{"c":2,"d":3}}"#, "here"),
  ])
  func `compares arguments by value, not by order`(arguments: String, expected: String) throws {
    var stage = try Stage(
      recording {
        $0.session("s1")
        $0.call("s1", 1, "f", #"{"a":1,"b":{"c":2,"d":3}}"#, takes: 1, text: "here")
        $0.call("s1", 3, "f", #"{"a":1.0,"b":{"c":2,"d":3}}"#, takes: 1, text: "there")
      })
    #expect(stage.call(stage.initialize(), "f", arguments) == expected)
    #expect(stage.server.counts.asRecorded == 1)
  }

  @Test func `takes empty and absent arguments for the same and ignores meta`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1")
        $0.exchange("s1", 1, "tools/call", #"{"name":"f"}"#, takes: 1, #""result":{}"#)
      })
    let session = stage.initialize()
    for arguments in ["{}", "null"] {
      let call = Stage.call("f", arguments, meta: #"{"progressToken":9}"#)
      _ = stage.answer("POST", session, call)
    }
    #expect(stage.server.counts.asRecorded == 2)
  }

  @Test func `lets a recorded answer of the same tool stand in, always the same one`() throws {
    let trace = recording {
      $0.session("s1")
      for n in 0..<8 {
        $0.call("s1", n * 2 + 1, "read", #"{"id":\#(n)}"#, takes: 1, text: "text \(n)")
      }
      $0.call("s1", 99, "write", "{}", takes: 1, text: "written")
    }
    var texts: [[String?]] = []
    for _ in 0..<2 {
      var stage = try Stage(trace)
      let session = stage.initialize()
      texts.append((100..<140).map { stage.call(session, "read", #"{"id":\#($0)}"#) })
      #expect(stage.server.counts.standIns == 41)
    }
    #expect(texts[0] == texts[1])
    #expect(Set(texts[0]).isSubset(of: Set((0..<8).map { "text \($0)" })))
    #expect(Set(texts[0]).count > 3)
  }

  @Test func `lets a live session hear what one recorded session heard`() throws {
    var stage = try Stage(
      recording {
        for (name, at) in [("s1", 0), ("s2", 100)] {
          $0.session(name, client: "agent of \(name)")
          $0.handshake(name)
          $0.call(name, 3, "search", #"{"q":"x"}"#, at: at, takes: 1, text: "found by \(name)")
        }
        $0.call("s2", 5, "read", #"{"id":2}"#, at: 200, takes: 1, text: "read by s2")
        $0.call("s2", 7, "search", #"{"q":"x"}"#, at: 300, takes: 1, text: "again by s2")
      })
    let second = stage.initialize(client: "agent of s2")
    let first = stage.initialize(client: "agent of s1")
    let search = #"{"q":"x"}"#
    #expect(stage.call(first, "search", search) == "found by s1")
    #expect(stage.call(second, "search", search) == "found by s2")
    #expect(stage.call(second, "search", search) == "again by s2")
    #expect(stage.call(first, "read", #"{"id":2}"#) == "read by s2")
    #expect(stage.call(first, "search", search) == "again by s2")
  }

  @Test func `goes round where there are no sessions`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1", .modern)
        $0.call("s1", 1, "f", "{}", at: 0, takes: 1, text: "a")
        $0.call("s1", 3, "f", "{}", at: 10, takes: 1, text: "b")
      })
    #expect((0..<5).map { _ in stage.call([], "f", "{}") } == ["a", "b", "a", "b", "a"])
  }

  @Test func `leaves out what was repeated with a credential or never answered`() throws {
    var stage = try Stage(
      recording {
        $0.session("s1")
        $0.exchange(
          "s1", 1, "tools/call", #"{"name":"f"}"#, takes: 1, "", outcome: "http_error",
          status: 401)
        $0.exchange(
          "s1", 3, "tools/call", #"{"name":"f"}"#, at: 5, takes: 1, #""result":{"text":"in"}"#,
          more: #","retry_of":1"#)
        $0.exchange(
          "s1", 5, "tools/call", #"{"name":"f"}"#, at: 9, takes: 1, "", outcome: "unanswered")
      })
    let session = stage.initialize()
    #expect((0..<2).map { _ in stage.call(session, "f", "{}") } == ["in", "in"])
  }
}
