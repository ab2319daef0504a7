import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Which session is cloned, and when each clone starts.
struct Planning {
  private func traffic(_ sessions: Int, clients: Int = 1, gap: Int64 = 700_000_000)
    -> RecordedTraffic
  {
    var events: [TraceEvent] = []
    for i in 0..<sessions {
      var copy = Conversation.desk("s\(i + 1)", at: Int64(i) * gap + 5)
      if case .session(var line)? = copy.first {
        line.client = Implementation(name: "c\(i % clients)", version: "1")
        copy[0] = .session(line)
      }
      events += copy
    }
    return Conversation.traffic(events)
  }

  @Test func `once is the recording as it was`() {
    let plan = Conversation.plan(traffic(4))
    #expect(plan.firstAgents(1000).map(\.start) == [0, 700_000_000, 1_400_000_000, 2_100_000_000])
    #expect(plan.firstAgents(1000).map(\.script) == [0, 1, 2, 3])
    #expect(plan.forecast.length == 2_100_000_000 + 5_001_000_000)
    #expect(plan.forecast.calls == 16)
    #expect(plan.forecast.longestThink?.session == "s1")
  }

  @Test func `copies in lockstep start together`() {
    let plan = Conversation.plan(traffic(2)) {
      $0.count = .multiply(3)
      $0.burst = .lockstep
      $0.thinkScale = 0.5
      $0.arrivalScale = 0.5
    }
    #expect(
      plan.firstAgents(1000).map(\.start) == [0, 0, 0, 350_000_000, 350_000_000, 350_000_000])
  }

  @Test func `independent copies start anywhere in the recording`() {
    let recorded = traffic(3)
    let plan = Conversation.plan(recorded) { $0.count = .multiply(40) }
    let starts = plan.firstAgents(1000).map(\.start)
    #expect(starts.allSatisfy { $0 >= 0 && $0 < recorded.length })
    #expect(Set(starts).count > 110)
    let early = starts.count { $0 < recorded.length / 2 }
    #expect((40...80).contains(early))
  }

  @Test func `a phase stays within its window`() {
    let recorded = traffic(3, gap: 600_000_000_000)
    let plan = Conversation.plan(recorded) {
      $0.count = .multiply(50)
      $0.phaseWindow = 10_000_000_000
    }
    for agent in plan.firstAgents(1000) {
      let moved = agent.start - recorded.scripts[agent.script].start
      let distance = min(abs(moved), recorded.length - abs(moved))
      #expect(distance <= 5_000_000_000)
    }
  }

  @Test func `jitter delays a start by no more than it says`() {
    let plan = Conversation.plan(traffic(2)) {
      $0.jitter = 1_000_000
      $0.count = .multiply(20)
      $0.burst = .lockstep
    }
    let delays = plan.firstAgents(1000).map { $0.start % 700_000_000 }
    #expect(delays.allSatisfy { $0 < 1_000_000 })
    #expect(Set(delays).count > 30)
  }

  @Test(arguments: [(2.5, 25), (0.3, 3), (1.0, 10), (0.01, 1), (3.25, 33)])
  func `every session comes floor of N times and the rest is drawn`(_ factor: Double, _ count: Int)
  {
    let plan = Conversation.plan(traffic(10)) { $0.count = .multiply(factor) }
    #expect(plan.firstAgents(1000).count == count)
    let copies = Dictionary(grouping: plan.firstAgents(1000), by: \.script).mapValues(\.count)
    let least = Int(factor)
    #expect((0..<10).allSatisfy { [least, least + 1].contains(copies[$0] ?? 0) })
    #expect(Set(plan.firstAgents(1000).map { [$0.script, $0.clone] }).count == count)
  }

  @Test func `the rest is shared out among clients`() {
    let recorded = traffic(12, clients: 3)
    for seed in 0..<20 {
      let plan = Conversation.plan(recorded) {
        $0.count = .multiply(1.5)
        $0.seed = UInt64(seed)
      }
      let drawn = plan.firstAgents(1000).filter { $0.clone == 1 }.map {
        recorded.scripts[$0.script].client?.name
      }
      #expect(drawn.sorted { ($0 ?? "") < ($1 ?? "") } == ["c0", "c0", "c1", "c1", "c2", "c2"])
    }
  }

  @Test func `one seed gives one plan and another gives another`() {
    let recorded = traffic(3)
    func digest(_ seed: UInt64) -> String {
      Conversation.plan(recorded) {
        $0.count = .multiply(4)
        $0.seed = seed
      }.digest
    }
    #expect(digest(7) == digest(7))
    #expect(digest(7) != digest(8))
    #expect(digest(7).count == 64)
  }

  @Test func `a closed load replaces agents that end`() {
    let plan = Conversation.plan(traffic(3)) { $0.load = .agents(2) }
    #expect(plan.isClosed && plan.slots.count == 2)
    #expect((0..<4).compactMap { plan.agent($0) }.count == 3)
    #expect(plan.forecast.peakAgents == 2)
    #expect(plan.agent(3) == nil)
  }

  @Test func `a closed load with a duration goes on with new copies`() {
    let plan = Conversation.plan(traffic(2)) {
      $0.load = .agents(2)
      $0.duration = 60_000_000_000
    }
    #expect(plan.isEndless)
    let later = (0..<6).compactMap { plan.agent($0) }
    #expect(Set(later.map { [$0.script, $0.clone] }).count == 6)
    #expect(Set(later.map(\.seed)).count == 6)
    #expect(plan.forecast.length == 60_000_000_000)
    #expect(plan.forecast.sessions >= 24)
  }

  @Test func `tools that no listing calls read-only count as writes`() {
    var lines = SessionLines("s9", start: 0)
    let list = lines.request("tools/list", t: 0)
    lines.answer(
      list, t: 10,
      result:
        #"{"tools":[{"name":"search","annotations":{"readOnlyHint":true}},{"name":"write"},{"name":"read","annotations":{"readOnlyHint":false}}]}"#
    )
    let plan = Conversation.plan(Conversation.traffic(lines.events + Conversation.desk()))
    #expect(plan.forecast.writes.map(\.tool) == ["read", "write"])
    #expect(plan.forecast.writes.map(\.calls) == [2, 1])
  }

  @Test func `the filter leaves calls out and keeps the rhythm`() {
    let plan = Conversation.plan(traffic(1)) { $0.skip = [ToolPattern("rea*")] }
    #expect(plan.forecast.filtered == 2)
    #expect(plan.forecast.calls == 4)
    let script = plan.scripts[0]
    #expect(script.skips.map { $0 == nil } == [true, true, true, true, false, false, true, true])
    var agent = AgentSimulation(script.session, options: plan.options) { request, _ in
      guard case .step(let i) = request.purpose else { return .init() }
      return .init(
        after: i == 2 ? nil : script.session.steps[i].service, fields: AgentSimulation.session)
    }
    agent.run()
    #expect(agent.sent.last?.at == 5_000_000_000)
    #expect(agent.end?.isChainExact == true)
    #expect(agent.omitted == [4: .filter, 5: .filter])
  }

  @Test func `what needs the answer of a filtered call is left out too`() {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let make = lines.call("make", t: 0, turn: 1)
    let made = lines.answer(make, t: 10)
    lines.call("use", t: 20, turn: 2, after: [made]) {
      $0.uses = JSONValue(parsing: #"[{"at":"/arguments/id","from":\#(made),"path":"/id"}]"#)
    }
    lines.call("other", t: 30, turn: 3, after: [made])
    let plan = Conversation.plan(Conversation.traffic(lines.events)) {
      $0.skip = [ToolPattern("make")]
    }
    #expect(plan.scripts[0].skips == [.filter, .filter, nil])
  }

  @Test(arguments: [
    ("*", "x", true), ("get_*", "get_user", true), ("get_*", "forget_user", false),
    ("?et", "get", true), ("a*b*c", "aXbYbZc", true), ("a*b*c", "ab", false), ("", "", true),
  ])
  func `patterns match whole names`(_ pattern: String, _ name: String, _ matches: Bool) {
    #expect(ToolPattern(pattern).matches(name) == matches)
  }
}
