import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Recorded values that the user replaces (`--map`).
struct `Value map` {
  private func play(
    _ map: String, arguments: String, change: (inout RequestLine) -> Void = { _ in }
  ) throws -> AgentSimulation {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("read_file", t: 0, turn: 1, arguments: arguments, change: change)
    var options = PlanOptions()
    options.map = try ValueMap(csv: map)
    var agent = AgentSimulation(Conversation.script(lines.events), options: options) { _, _ in
      AgentSimulation.Reply()
    }
    agent.run()
    return agent
  }

  @Test(arguments: [
    ("read_file,/arguments/id,a,b", #"{"id":"a"}"#, #"{"id":"b"}"#),
    ("read_*,/arguments/id,,b", #"{"id":"a","x":1.0}"#, #"{"id":"b","x":1.0}"#),
    ("write,/arguments/id,,b", #"{"id":"a"}"#, #"{"id":"a"}"#),
    ("*,/arguments/id,c,b", #"{"id":"a"}"#, #"{"id":"a"}"#),
    ("*,/arguments/id,7,8", #"{"id":7}"#, #"{"id":8}"#),
    ("*,/arguments/id,7,x", #"{"id":7}"#, #"{"id":"x"}"#),
    ("*,/arguments/id,7,8", #"{"id":"7"}"#, #"{"id":"8"}"#),
    ("*,/arguments/ids/1,,\"q\"\"\"", #"{"ids":["a","b"]}"#, #"{"ids":["a","q\""]}"#),
    ("*,/arguments/x#/id,1,2", #"{"x":"{\"id\":1}"}"#, #"{"x":"{\"id\":2}"}"#),
    ("*,/arguments/id,a,b\n*,/arguments/id,,c", #"{"id":"a"}"#, #"{"id":"b"}"#),
    ("tool,pointer,from,to\n*,/arguments/id,,b", #"{"id":"a"}"#, #"{"id":"b"}"#),
  ])
  func `replaces what was recorded`(_ map: String, _ recorded: String, _ sent: String) throws {
    let agent = try play(map, arguments: recorded)
    #expect(agent.requests.map { $0.body["params"]?["arguments"]?.text } == [sent])
  }

  @Test func `gives what the recording hides`() throws {
    let hidden = try play("*,/arguments/id,x1,T-9", arguments: #"{"id":"x1"}"#) {
      $0.redacted = ["/arguments/id"]
    }
    #expect(hidden.requests.map { $0.body["params"]?["arguments"]?.text } == [#"{"id":"T-9"}"#])
    #expect(hidden.unresolved.isEmpty)
  }

  @Test func `is said in header fields too`() throws {
    let agent = try play("*,/arguments/region,eu,é", arguments: #"{"region":"eu","zone":"eu"}"#) {
      $0.headers = [
        HeaderField("mcp-protocol-version", "2026-07-28"), HeaderField("Mcp-Param-Region", "eu"),
        HeaderField("Mcp-Param-Zone", "eu"),
      ]
    }
    #expect(agent.requests.first?.header("mcp-param-region") == "=?base64?w6k=?=")
    #expect(agent.requests.first?.header("mcp-param-zone") == "eu")
  }

  @Test func `tells which of its lines match nothing`() throws {
    let map = try ValueMap(csv: "*,/arguments/q,,x\n\n*,/arguments/id,a,x\nno,/arguments/id,,x")
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    lines.call("find", t: 0, turn: 1, arguments: #"{"id":"a"}"#)
    #expect(map.unused(in: Conversation.traffic(lines.events)) == [1, 4])
  }

  @Test(arguments: [
    ("a,/arguments/id,x", 1), ("tool,pointer,from,to\na,arguments,x,y", 2), ("a,,x,y", 1),
    ("\"a", 1),
  ]) func `is refused with its line`(text: String, line: Int) {
    do throws(ValueMap.FormatError) {
      _ = try ValueMap(csv: text)
      Issue.record("was taken")
    } catch {
      #expect(error.line == line)
      #expect(!error.reason.isEmpty)
    }
  }
}
