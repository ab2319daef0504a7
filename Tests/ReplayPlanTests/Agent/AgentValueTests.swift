import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Values that requests take from this run's answers (`uses`).
struct `Agent values` {
  private typealias Reply = AgentSimulation.Reply
  private static let second: Int64 = 1_000_000_000

  private func play(
    _ events: [TraceEvent], _ made: String, options: PlanOptions = PlanOptions(),
    used: String = #""result":{}"#
  ) -> AgentSimulation {
    var agent = AgentSimulation(Conversation.script(events), options: options) { request, _ in
      let isMake = request.body["params"]?["name"]?.string == "make"
      return Reply(after: 10, content: isMake ? made : used)
    }
    agent.run()
    return agent
  }

  private static let whole =
    #"[{"at":"/arguments/id","from":FROM,"path":"/structuredContent/id"}]"#

  @Test(arguments: [
    (#""new""#, #"{"name":"use","arguments":{"id":"new"}}"#),
    ("7", #"{"name":"use","arguments":{"id":7}}"#),
    (#""q\"\u00fc\n""#, #"{"name":"use","arguments":{"id":"q\"ü\n"}}"#),
    (#"{"a":[1.0]}"#, #"{"name":"use","arguments":{"id":{"a":[1.0]}}}"#),
    ("12345678901234567890", #"{"name":"use","arguments":{"id":12345678901234567890}}"#),
  ])
  func `a whole value goes in as it came`(_ live: String, _ params: String) {
    let agent = play(
      Conversation.pair(Self.whole), #""result":{"structuredContent":{"id":\#(live)}}"#)
    #expect(agent.requests.last?.body["params"]?.text == JSONValue(parsing: params)?.text)
    #expect(agent.records.map(\.outcome) == [.ok, .ok])
  }

  @Test(arguments: [
    // The recorded one was a number, or a string that looks like one: schemas are strict.
    (#"{"id":5}"#, #""77""#, "77"), (#"{"id":5}"#, #""x7""#, #""x7""#),
    (#"{"id":"5"}"#, "77", #""77""#), (#"{"id":"h5"}"#, "77", "77"),
    (#"{"id":true}"#, #""false""#, "false"),
  ])
  func `a value that changed its type on the way keeps doing so`(
    _ recorded: String, _ live: String, _ sent: String
  ) {
    let agent = play(
      Conversation.pair(Self.whole, arguments: recorded),
      #""result":{"structuredContent":{"id":\#(live)}}"#)
    #expect(agent.requests.last?.body["params"]?["arguments"]?["id"]?.text == sent)
  }

  @Test func `a value of a plain text goes into the middle of another`() {
    let uses = #"""
      [{"at":"/arguments/note","from":FROM,"path":"/content/0/text",
        "within":{"before":"made ","after":"."},"at_within":{"before":"see ","after":" and"}},
       {"at":"/arguments/note","from":FROM,"path":"/content/0/text",
        "within":{"before":"for ","after":""},"at_within":{"before":"and ","after":""}}]
      """#
    let agent = play(
      Conversation.pair(uses, arguments: #"{"note":"\"ü\" see h-1 and bob"}"#),
      #""result":{"content":[{"type":"text","text":"made h\"\\2. It is for ann\n"}]}"#)
    #expect(
      agent.requests.last?.body["params"]?["arguments"]?["note"]?.string
        == "\"ü\" see h\"\\2 and ann\n")
  }

  @Test func `JSON in a string takes values too, in every depth`() {
    let uses = #"""
      [{"at":"/arguments/job#/steps/1/text#/id","from":FROM,"path":"/content/0/text#/id"},
       {"at":"/arguments/job#/who","from":FROM,"path":"/content/0/text#/who",
        "at_within":{"before":"user:","after":""}}]
      """#
    let job = #"{"who": "user:old", "steps":[0,{"text":"{\"id\":\"old\"}"}]}"#
    let agent = play(
      Conversation.pair(uses, arguments: JSONValue.object([.init("job", .string(job))]).text),
      #""result":{"content":[{"type":"text","text":"{ \"id\" : \"a\\\"b\", \"who\" : 9 }"}]}"#)
    let sent = agent.requests.last?.body["params"]?["arguments"]?["job"]?.string
    #expect(sent == #"{"who": "user:9", "steps":[0,{"text":"{\"id\":\"a\\\"b\"}"}]}"#)
  }

  @Test func `headers that mirror the params follow them`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let make = lines.call("make", t: 0, turn: 1)
    let made = lines.answer(make, t: 10)
    let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
    let uri = #"{"uri":"doc://old/page",\#(meta)}"#
    lines.request("resources/read", t: 100, params: uri, after: [made]) {
      $0.uses = JSONValue(
        parsing: #"""
          [{"at":"/uri","from":\#(made),"path":"/structuredContent/id","at_within":{"before":"doc://","after":"/"}}]
          """#)
    }
    lines.request(
      "tools/call", t: 200,
      params: #"{"name":"t","arguments":{"a":"old","region":"old"},\#(meta)}"#,
      after: [made]
    ) {
      $0.headers = [
        HeaderField("Mcp-Param-Region", "old"), HeaderField("Mcp-Param-Other", "stays"),
      ]
      $0.uses = JSONValue(
        parsing:
          #"[{"at":"/arguments/region","from":\#(made),"path":"/structuredContent/id"}]"#)
    }
    let agent = play(lines.events, #""result":{"structuredContent":{"id":"zürich"}}"#)
    let read = agent.requests[1]
    #expect(read.body["params"]?["uri"]?.string == "doc://zürich/page")
    #expect(read.header("mcp-name") == "=?base64?ZG9jOi8vesO8cmljaC9wYWdl?=")
    let call = agent.requests[2]
    #expect(call.body["params"]?["arguments"]?.text == #"{"a":"old","region":"zürich"}"#)
    #expect(call.header("mcp-param-region") == "=?base64?esO8cmljaA==?=")
    #expect(call.header("mcp-param-other") == "stays")
    #expect(call.header("mcp-name") == "t")
  }

  @Test func `a header of an answer gives a value`() {
    let uses = #"[{"at":"/arguments/id","from":FROM,"path":"/headers/x-job"}]"#
    var agent = AgentSimulation(Conversation.script(Conversation.pair(uses))) { _, _ in
      Reply(fields: [HeaderField("X-Job", "j-9")])
    }
    agent.run()
    #expect(agent.requests.last?.body["params"]?["arguments"]?.text == #"{"id":"j-9"}"#)
  }

  @Test func `the rounds of a call have the same live arguments`() {
    let meta =
      #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":1}"#
    let events = Conversation.pair(Self.whole) {
      $0.params = JSONValue(parsing: #"{"name":"use","arguments":{"id":"old"},\#(meta)}"#)
        .map { RawJSON($0) }
    }
    var agent = AgentSimulation(Conversation.script(events)) { request, count in
      guard request.body["params"]?["name"]?.string == "use" else {
        return Reply(content: #""result":{"structuredContent":{"id":"new"}}"#)
      }
      return Reply(
        content: count == 0
          ? #""result":{"resultType":"input_required","requestState":"s"}"# : #""result":{}"#)
    }
    agent.run()
    let rounds = agent.requests.dropFirst()
    #expect(
      rounds.map { $0.body["params"]?["arguments"]?.text } == [#"{"id":"new"}"#, #"{"id":"new"}"#])
    #expect(rounds.last?.body["params"]?["requestState"]?.string == "s")
    #expect(
      rounds.map { $0.body["params"]?["_meta"]?["progressToken"] == $0.body["id"] } == [true, true])
  }

  @Test(arguments: [
    (#""result":{"structuredContent":{"ID":1}}"#, UnresolvedValue.Cause.notInAnswer),
    (#""result":{"structuredContent":{"id":null}}"#, .notInAnswer),
    (#""error":{"code":-1}"#, .failed),
  ])
  func `without the value the call and what needs its answer are skipped`(
    _ made: String, _ cause: UnresolvedValue.Cause
  ) {
    let agent = play(Conversation.pair(Self.whole, tail: true), made)
    #expect(agent.requests.count == 1)
    #expect(agent.omitted == [1: .unresolved, 2: .unresolved])
    #expect(agent.unresolved.map(\.cause) == [cause, .notSent])
    #expect(agent.unresolved.map(\.step) == [1, 2])
    #expect(agent.end?.isChainExact == false)
  }

  @Test func `the recorded value is sent when the user wants that`() {
    var options = PlanOptions()
    options.onUnresolved = .recorded
    let agent = play(Conversation.pair(Self.whole, tail: true), #""result":{}"#, options: options)
    #expect(
      agent.requests.map { $0.body["params"]?["arguments"]?.text }
        == ["{}", #"{"id":"old"}"#, #"{"token":"t"}"#])
    #expect(agent.unresolved.count == 2)
    #expect(agent.omitted.isEmpty)
  }

  @Test func `the session ends when the user wants that`() {
    var options = PlanOptions()
    options.onUnresolved = .endSession
    let agent = play(Conversation.pair(Self.whole, tail: true), #""result":{}"#, options: options)
    #expect(agent.requests.count == 1)
    #expect(agent.omitted == [1: .unresolved, 2: .afterError])
    #expect(agent.end != nil)
  }

  @Test func `without correlation recorded values are sent`() {
    var options = PlanOptions()
    options.correlates = false
    let agent = play(
      Conversation.pair(Self.whole), #""result":{"structuredContent":{"id":"new"}}"#,
      options: options)
    #expect(agent.requests.last?.body["params"]?["arguments"]?.text == #"{"id":"old"}"#)
    #expect(agent.unresolved.isEmpty)
  }

  @Test func `what the filter leaves out takes along what needs it`() {
    var options = PlanOptions()
    options.skip = [ToolPattern("make")]
    let skipped = play(Conversation.pair(Self.whole), "", options: options)
    #expect(skipped.omitted == [0: .filter, 1: .filter])
    options.onUnresolved = .recorded
    let sent = play(Conversation.pair(Self.whole), "", options: options)
    #expect(sent.requests.map { $0.body["params"]?["arguments"]?.text } == [#"{"id":"old"}"#])
    #expect(sent.unresolved.map(\.cause) == [.notSent])
  }

  @Test func `a value is waited for also where the order does not say so`() {
    let events = Conversation.pair(Self.whole) { $0.after = nil }
    var agent = AgentSimulation(Conversation.script(events)) { request, _ in
      Reply(after: 5000, content: #""result":{"structuredContent":{"id":"new"}}"#)
    }
    agent.run()
    #expect(agent.requests.map(\.at) == [0, 5000])
    #expect(agent.requests.last?.body["params"]?["arguments"]?.text == #"{"id":"new"}"#)
  }

  @Test func `uses whose places do not exist change nothing`() {
    let uses = #"""
      [{"at":"/arguments/none","from":FROM,"path":"/structuredContent/id"},
       {"at":"no path","from":FROM,"path":"/a"},{"at":"/arguments/id","from":99,"path":"/a"}]
      """#
    let agent = play(Conversation.pair(uses), #""result":{"structuredContent":{"id":"new"}}"#)
    #expect(agent.requests.last?.body["params"]?["arguments"]?.text == #"{"id":"old"}"#)
  }

  @Test func `calls that only came later do not wait for slow ones`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let slow = lines.call("slow", t: 0, turn: 1)
    let make = lines.call("make", t: 1, turn: 1)
    let made = lines.answer(make, t: 10)
    let answered = lines.answer(slow, t: 20)
    lines.call("free", t: 100, turn: 2, after: [made, answered])
    lines.call("bound", t: 101, turn: 2, after: [made, answered]) {
      $0.afterBy = .uses
      $0.uses = JSONValue(parsing: #"[{"at":"/name","from":\#(made),"path":"/x"}]"#)
    }
    var options = PlanOptions()
    options.after = .uses
    func sent(_ options: PlanOptions) -> [AgentSimulation.Sent] {
      var agent = AgentSimulation(Conversation.script(lines.events), options: options) {
        request, _ in
        guard case .step(let i) = request.purpose else { return Reply() }
        return Reply(after: [5000, 60, 0, 0][i], content: #""result":{"x":"bound"}"#)
      }
      agent.run()
      return agent.sent
    }
    #expect(
      sent(options).map { [Int64($0.step), $0.at] } == [[0, 0], [1, 1], [2, 100], [3, 152]])
    #expect(
      sent(PlanOptions()).map { [Int64($0.step), $0.at] }
        == [[0, 0], [1, 1], [2, 5080], [3, 5081]])
  }
}
