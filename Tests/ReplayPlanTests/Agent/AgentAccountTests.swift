import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Every call is sent, skipped or aborted, exactly once, whatever happens.
struct `Agent accounts` {
  @Test(arguments: 0..<60)
  func `random weather leaves no call unexplained`(_ seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let script = Conversation.script(randomSession(&random))
    var policy = AgentPolicy()
    policy.onError =
      [.endTurn, .carryOn, .endSession, .retry(2)].randomElement(using: &random) ?? .endTurn
    var options = PlanOptions()
    if Bool.random(using: &random) { options.skip = [ToolPattern("t1")] }
    var weather = random
    var agent = AgentSimulation(script, options: options, policy: policy) { request, _ in
      AgentAccountWeather.reply(request, &weather)
    }
    let stops: [(at: Int64, how: AgentStop)?] = [
      nil, nil, (3_000_000_000, .duration), (2_000_000_000, .drain), (2_500_000_000, .now),
    ]
    agent.run(stop: stops.randomElement(using: &random) ?? nil)
    let sent = agent.records.filter { script.steps[$0.step].isCall }.map(\.step)
    #expect(agent.end != nil, "seed \(seed)")
    #expect(Set(sent).count == sent.count, "seed \(seed)")
    #expect(Set(sent).isDisjoint(with: agent.omitted.keys), "seed \(seed)")
    #expect(sent.count + agent.omitted.count == script.calls, "seed \(seed)")
    #expect(agent.records.allSatisfy { $0.sent >= $0.due && $0.done >= $0.sent }, "seed \(seed)")
  }

  private func randomSession(_ random: inout SeededGenerator) -> [TraceEvent] {
    var lines = SessionLines("s1", start: 0)
    let hello = lines.request("initialize", t: 0, params: Conversation.initialize)
    var last = [lines.answer(hello, t: 1_000_000)]
    lines.notification("notifications/initialized", t: 2_000_000, done: 3_000_000, after: last)
    lines.stream(t: 4_000_000, after: last)
    var t: Int64 = 10_000_000
    for turn in 1...Int.random(in: 2...6, using: &random) {
      t += Int64.random(in: 1_000_000...900_000_000, using: &random)
      var answers: [Int] = []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let tool = "t\(Int.random(in: 0...2, using: &random))"
        let call = lines.call(tool, t: t, turn: turn, after: last)
        t += 1000
        let took = Int64.random(in: 2_000_000...50_000_000, using: &random)
        let outcome: Outcome = Int.random(in: 0...9, using: &random) == 0 ? .toolError : .ok
        answers.append(lines.answer(call, t: t + took, outcome))
      }
      t += 60_000_000
      last = answers
    }
    if Bool.random(using: &random) { lines.delete(t: t + 5, done: t + 9, after: last) }
    return lines.events
  }
}

/// Answers by chance.
enum AgentAccountWeather {
  static func reply(
    _ request: AgentSimulation.Request, _ random: inout SeededGenerator
  ) -> AgentSimulation.Reply {
    var reply = AgentSimulation.Reply(after: Int64.random(in: 0...200_000_000, using: &random))
    if request.body["method"] == .string("initialize") {
      reply.fields = [HeaderField("mcp-session-id", "x")]
      return reply
    }
    switch Int.random(in: 0...30, using: &random) {
    case 0: reply.after = nil
    case 1: reply.status = 500
    case 2: reply.content = ""
    case 3: reply.content = #""error":{"code":-1}"#
    case 4: reply.content = #""result":{"isError":true}"#
    case 5: (reply.status, reply.content, reply.fails) = (0, "", true)
    case 6: (reply.content, reply.eventID) = ("", "e")
    case 7: reply.before = [#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#]
    case 8: reply.status = 404
    default: break
    }
    return reply
  }
}
