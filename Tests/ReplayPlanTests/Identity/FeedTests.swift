import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// What a feed's rows do to requests.
struct Feeds {
  private typealias Reply = AgentSimulation.Reply

  @Test(
    arguments: [
      ("", 1, "no heading"), ("header.x\n", 1, "no rows"), ("name\nx", 1, "header.NAME"),
      ("/params/x\n1", 1, "clientInfo.name"), ("/arguments\n1", 1, "says no place"),
      ("header.a b\n1", 1, "says no place"), ("header.Host\n1", 1, "own affair"),
      ("header.X,header.x\n1,2", 1, "twice"), ("header.x,/arguments/a\n1\n", 2, "1 fields"),
      ("header.x\n\"secret\nline\"", 2, "without line breaks"), ("header.x\n\"a", 2, "quote"),
    ])
  func `what is no CSV feed is refused without its values`(
    _ text: String, _ line: Int, _ words: String
  ) {
    let error = #expect(throws: Feed.FormatError.self) { try Feed(csv: text) }
    #expect(error?.line == line && error?.description.contains(words) == true)
    #expect(error?.description.contains("secret") == false)
  }

  @Test(
    arguments: [
      ("\n\n", 1, "no rows"), ("{\"header.x\":\"a\"}\n[1]", 2, "no JSON object"),
      ("{\"header.x\":{\"a\":1}}", 1, "takes text"), ("{\"q\":1}", 1, "says no place"),
    ])
  func `what are no JSON lines are refused`(_ text: String, _ line: Int, _ words: String) {
    let error = #expect(throws: Feed.FormatError.self) { try Feed(jsonLines: text) }
    #expect(error?.line == line && error?.description.contains(words) == true)
  }

  /// A session whose one call has `arguments`, with that row of the feed.
  private func requests(
    _ feed: Feed, row: Int = 0, arguments: String = "{}",
    headers: [HeaderField] = []
  ) -> [AgentSimulation.Request] {
    var lines = SessionLines("s1", start: 0)
    let hello = lines.request("initialize", t: 0, params: Conversation.initialize)
    let welcome = lines.answer(hello, t: 5)
    lines.call("read", t: 10, turn: 1, after: [welcome], arguments: arguments)
    var session = Conversation.script(lines.events)
    for i in session.steps.indices { session.steps[i].headers += headers }
    var target = AgentSimulation.target
    target.feed = feed
    var agent = AgentSimulation(session, target: target) { _, _ in Reply(after: 5) }
    agent.row = feed.row(row)
    agent.run()
    return agent.requests
  }

  @Test func `rows go into headers, arguments and the client's name`() throws {
    let feed = try Feed(
      csv: """
        header.X-User,/arguments/user/id,/arguments/n,/arguments/none,clientInfo.name
        ann,U-1,7,x,agent-ann
        bob,,8,x,
        """)
    let recorded = #"{"user":{"id":"U-0","b":[1, 2]},"n":5}"#
    let ann = requests(feed, arguments: recorded)
    #expect(ann.allSatisfy { $0.header("x-user") == "ann" })
    #expect(ann[0].body["params"]?["clientInfo"]?["name"] == .string("agent-ann"))
    #expect(ann[0].body["params"]?["clientInfo"]?["version"] == .string("1"))
    #expect(
      ann.last?.body["params"]?["arguments"]
        == JSONValue(parsing: #"{"user":{"id":"U-1","b":[1,2]},"n":7}"#))
    // The third agent has the first row again.
    #expect(feed.row(2) == feed.row(0))
    let bob = requests(feed, row: 1, arguments: recorded)
    #expect(bob[0].body["params"]?["clientInfo"]?["name"] == .string("a"))
    #expect(
      bob.last?.body["params"]?["arguments"]
        == JSONValue(parsing: #"{"user":{"id":"U-0","b":[1,2]},"n":8}"#))
  }

  @Test func `a row without a header leaves the recorded one`() throws {
    let feed = try Feed(jsonLines: #"{"header.x-a":"1","header.x-b":2}"# + "\n{}\n")
    let recorded = [HeaderField("X-A", "then")]
    let first = requests(feed, headers: recorded)
    #expect(first.allSatisfy { $0.header("x-a") == "1" && $0.header("x-b") == "2" })
    let second = requests(feed, row: 1, headers: recorded)
    #expect(second.allSatisfy { $0.header("x-a") == "then" && $0.header("x-b") == nil })
  }

  @Test func `JSON lines keep their types in arguments`() throws {
    let feed = try Feed(jsonLines: #"{"/arguments/n":"7","/arguments/t":9,"/arguments/o":[true]}"#)
    let sent = requests(feed, arguments: #"{"n":5,"t":"x","o":null}"#)
    #expect(
      sent.last?.body["params"]?["arguments"]
        == JSONValue(parsing: #"{"n":"7","t":9,"o":[true]}"#))
  }

  @Test func `values of this run's answers go before the feed's`() throws {
    let events = Conversation.pair(
      #"[{"at":"/arguments/id","from":FROM,"path":"/structuredContent/id"}]"#,
      arguments: #"{"id":"old","who":"x"}"#)
    var target = AgentSimulation.target
    let feed = try Feed(csv: "/arguments/id,/arguments/who\nfed,ann\n")
    target.feed = feed
    var agent = AgentSimulation(Conversation.script(events), target: target) { _, _ in
      Reply(content: #""result":{"structuredContent":{"id":"live"}}"#)
    }
    agent.row = feed.row(0)
    agent.run()
    #expect(
      agent.requests.last?.body["params"]?["arguments"]
        == JSONValue(parsing: #"{"id":"live","who":"ann"}"#))
  }

  @Test func `a header that mirrors an argument follows the feed`() throws {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("read", t: 0, turn: 1, arguments: #"{"region":"west"}"#)
    var session = Conversation.script(lines.events)
    session.steps[0].isModern = true
    session.steps[0].headers.append(HeaderField("Mcp-Param-Region", "west"))
    var target = AgentSimulation.target
    let feed = try Feed(csv: "/arguments/region\nzürich\n")
    target.feed = feed
    var agent = AgentSimulation(session, target: target) { _, _ in Reply() }
    agent.row = feed.row(0)
    agent.run()
    #expect(agent.requests[0].header("mcp-param-region") == "=?base64?esO8cmljaA==?=")
  }

  @Test func `what a feed fills is not hidden any more`() throws {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("read", t: 0, turn: 1, arguments: #"{"mail":"xxxx"}"#)
    var session = Conversation.script(lines.events)
    let path = try #require(Feed(csv: "/arguments/mail\na@b\n").filled.first)
    session.steps[0].hidden = [path]
    var options = PlanOptions()
    #expect(AgentScript(session, options).hidden == [path])
    options.fed = [path]
    #expect(AgentScript(session, options).hidden == [nil])
    #expect(try Feed(csv: "/arguments/mail,header.x\na@b,1\n,2\n").filled == [])
  }
}
