import Basics
import MCP
import NIOCore
import Testing
import Trace

struct `Value flow` {
  private func json(_ text: String) throws -> RawJSON {
    try #require(RawJSON(validating: ByteBuffer(string: text)))
  }

  private func flow(_ results: String..., of method: String = "tools/call") throws -> ValueFlow {
    var flow = ValueFlow()
    for (i, result) in results.enumerated() {
      flow.learn(try json(result), of: method, n: 2 * i + 2, done: Int64(100 * (i + 1)))
    }
    return flow
  }

  private func uses(
    _ flow: ValueFlow, _ params: String, at t: Int64 = 10_000
  ) throws -> [ValueUse] {
    var flow = flow
    return flow.uses(in: try json(params), at: t)
  }

  @Test func `finds a handle in structured content`() throws {
    let flow = try flow(#"{"content":[],"structuredContent":{"ticket":{"id":"TCK-068fe80a"}}}"#)
    #expect(
      try uses(flow, #"{"name":"close","arguments":{"ticket_id":"TCK-068fe80a"}}"#)
        == [ValueUse(at: "/arguments/ticket_id", from: 2, path: "/structuredContent/ticket/id")])
  }

  @Test func `enters the JSON that a text holds, with escapes and names that need some`() throws {
    let flow = try flow(
      #"{"content":[{"type":"text","text":"{\n \"a/b~c\": [{\"id\": \"caf\u00e9-4711\"}]}"}]}"#)
    #expect(
      try uses(flow, #"{"name":"x","arguments":{"id":"café-4711"}}"#)
        == [ValueUse(at: "/arguments/id", from: 2, path: "/content/0/text#/a~1b~0c/0/id")])
  }

  @Test func `finds a part of a plain text on either end`() throws {
    let flow = try flow(
      #"{"content":[{"type":"text","text":"At 10:34: created ticket TCK-9f3a71, status open."}]}"#)
    var whole = ValueUse(at: "/arguments/id", from: 2, path: "/content/0/text")
    whole.within = .init(before: ": created ticket ", after: ", ")
    #expect(try uses(flow, #"{"name":"x","arguments":{"id":"TCK-9f3a71"}}"#) == [whole])
    whole.at = "/arguments/note"
    whole.atWithin = .init(before: "see ticket://", after: ".")
    #expect(
      try uses(flow, #"{"name":"x","arguments":{"note":"see ticket://TCK-9f3a71."}}"#) == [whole])
  }

  @Test func `tells equal sentences apart by more of the text before`() throws {
    let flow = try flow(
      #"{"content":[{"type":"text","text":"- first item: id-77a1\n- second item: id-77b2\n"}]}"#)
    let use = try #require(
      try uses(flow, #"{"name":"x","arguments":{"id":"id-77b2"}}"#).first)
    #expect(use.within == .init(before: "- second item: ", after: "\n"))
  }

  @Test func `does not take what the agent said first`() throws {
    var flow = ValueFlow()
    _ = flow.uses(
      in: try json(#"{"name":"find","arguments":{"q":"ORD-20417"}}"#), at: 10)
    flow.learn(
      try json(#"{"structuredContent":{"order":"ORD-20417","owner":"u-5518c"}}"#), of: "tools/call",
      n: 2, done: 20)
    #expect(
      try uses(flow, #"{"name":"x","arguments":{"order":"ORD-20417","owner":"u-5518c"}}"#)
        == [ValueUse(at: "/arguments/owner", from: 2, path: "/structuredContent/owner")])
  }

  @Test func `counts only answers that were there, the first of them`() throws {
    let flow = try flow(
      #"{"structuredContent":{"id":"h-81f2c0"}}"#, #"{"structuredContent":{"echo":"h-81f2c0"}}"#)
    let params = #"{"name":"x","arguments":{"id":"h-81f2c0"}}"#
    #expect(try uses(flow, params, at: 99) == [])
    #expect(
      try uses(flow, params, at: 100)
        == [ValueUse(at: "/arguments/id", from: 2, path: "/structuredContent/id")])
  }

  @Test func `takes cursors whatever they look like, from the latest page`() throws {
    let flow = try flow(
      #"{"tools":[],"nextCursor":"p5"}"#, #"{"tools":[],"nextCursor":"p5"}"#, of: "tools/list")
    #expect(
      try uses(flow, #"{"cursor":"p5"}"#)
        == [ValueUse(at: "/cursor", from: 4, path: "/nextCursor")])
    #expect(try uses(flow, #"{"name":"x","arguments":{"page":"p5"}}"#) == [])
  }

  @Test func `knows a number that became a text`() throws {
    let flow = try flow(#"{"structuredContent":{"order":48213,"at":[41.8781,-87.6298]}}"#)
    #expect(
      try uses(flow, #"{"name":"x","arguments":{"id":"48213","lat":41.8781,"lon":-87.6298}}"#)
        == [
          ValueUse(at: "/arguments/id", from: 2, path: "/structuredContent/order"),
          ValueUse(at: "/arguments/lat", from: 2, path: "/structuredContent/at/0"),
          ValueUse(at: "/arguments/lon", from: 2, path: "/structuredContent/at/1"),
        ])
  }

  @Test func `finds a header of the server's own`() throws {
    var flow = ValueFlow()
    flow.learn(
      [.init("content-type", "application/json"), .init("X-Job", "job-771f3")], n: 2, done: 5)
    #expect(
      try uses(flow, #"{"name":"x","arguments":{"job":"job-771f3"}}"#)
        == [ValueUse(at: "/arguments/job", from: 2, path: "/headers/x-job")])
  }

  @Test(arguments: [
    ("App-Handle", "/headers/app-handle"), ("X-A#B~C", "/headers/x-a~2b~0c"), ("Age", nil),
    ("Access-Control-Expose-Headers", nil), ("Mcp-Session-Id", nil), ("Alt-Svc", nil),
  ]) func `tells a server's own header from one of the protocol`(name: String, path: String?) throws
  {
    var flow = ValueFlow()
    flow.learn([.init(name, "job-771f3")], n: 2, done: 5)
    #expect(
      try uses(flow, #"{"name":"x","arguments":{"job":"job-771f3"}}"#)
        == (path.map { [ValueUse(at: "/arguments/job", from: 2, path: $0)] } ?? []))
  }

  @Test(arguments: [
    #""TCK-068fe80a""#, #""T-71""#, #""3f2b8c1e-0f6a-4a52-9d3c-7a1be0c4a9d1""#, #""ZFA04Y""#,
    #""https://example.org/a""#, #""/srv/data/report.csv""#, #""user@example.org""#, "48213",
    "1732312345", "41.8781", #""2026-11-22T10:34:58.326Z""#, #""xKfQwZbTrLmN""#, #""mia_li_3668""#,
  ])
  func `takes for a use what can hardly be equal by chance`(value: String) throws {
    let flow = try flow(#"{"structuredContent":{"v":\#(value)}}"#)
    #expect(try uses(flow, #"{"name":"x","arguments":{"v":\#(value)}}"#).count == 1)
  }

  @Test(arguments: [
    "1", "42", "200", "2026", "5000", "100000", "20261122", "99999", "true", "null", "0.5", "12.25",
    "1e9", #""open""#, #""in progress""#, #""High""#, #""2026-11-22""#, #""2026-11-22T10:00:00Z""#,
    #""22.11.2026""#, #""10:34""#, #""v1.2.3""#, #""250ms""#, #""text/plain""#, #""step_3""#,
    #""New York""#, #""page2""#, #""99999""#, #""""#, #""waiting_for_approval""#, #""1.30.0""#,
  ])
  func `takes no coincidence for a use`(value: String) throws {
    let flow = try flow(#"{"structuredContent":{"v":\#(value)}}"#)
    #expect(try uses(flow, #"{"name":"x","arguments":{"v":\#(value)}}"#) == [])
  }

  @Test func `is right among a hundred sessions full of equal values`() throws {
    var generator = SystemRandomNumberGenerator()
    var (found, right, expected) = (0, 0, 0)
    for _ in 0..<100 {
      var flow = ValueFlow()
      var handles: [(id: String, n: Int)] = []
      for call in 0..<20 {
        let n = 2 * call + 1
        let t = Int64(call) * 1_000
        let small = Int.random(in: 0...20, using: &generator)
        let status = ["open", "closed", "in_progress", "P1", "HTTP 200"].randomElement() ?? ""
        let used = call % 2 == 1 ? handles.randomElement() : nil
        let handle = used.map { #","handle":"\#($0.id)""# } ?? ""
        let uses = flow.uses(
          in: try json(
            #"{"name":"t","arguments":{"limit":\#(small),"day":"2026-11-\#(10 + small)","state":"\#(status)"\#(handle)}}"#
          ), at: t)
        expected += used == nil ? 0 : 1
        found += uses.count
        right += uses.count { $0.at == "/arguments/handle" && $0.from == used?.n }
        let id = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
        handles.append((id, n + 1))
        flow.learn(
          try json(
            #"{"structuredContent":{"id":"\#(id)","count":\#(small),"page":{"n":2},"day":"2026-11-12","state":"open"}}"#
          ), of: "tools/call", n: n + 1, done: t + 500)
      }
    }
    // Random hexadecimal digits may all be decimal, or letters.
    #expect(Double(right) >= 0.98 * Double(found) && Double(right) >= 0.98 * Double(expected))
  }

  @Test func `forgets the oldest when there is too much, and says so`() throws {
    var flow = ValueFlow()
    for n in 1...200 {
      let ids = (0..<100).map { #""id-\#(n)x\#($0)f""# }.joined(separator: ",")
      flow.learn(
        try json(#"{"structuredContent":{"ids":[\#(ids)]}}"#), of: "tools/call", n: n,
        done: Int64(n))
    }
    #expect(flow.size < 1 << 20)
    #expect(flow.losses > 0)
    #expect(try uses(flow, #"{"name":"x","arguments":{"id":"id-200x7f"}}"#).count == 1)
    #expect(try uses(flow, #"{"name":"x","arguments":{"id":"id-1x7f"}}"#) == [])
  }

  @Test(arguments: [
    #"{"content":[{"type":"text","text":"{\"a\":"}]}"#, #"{"content":7}"#, "[]", "7",
    #"{"structuredContent":"\ud800"}"#, #"{"":{"":""}}"#,
  ])
  func `takes any answer`(result: String) throws {
    #expect(try uses(try flow(result), #"{"name":"x","arguments":{"id":"abc-1234"}}"#) == [])
  }
}
