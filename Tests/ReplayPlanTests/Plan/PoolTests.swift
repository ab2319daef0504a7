import ReplayPlan
import Testing
import Trace

/// Copies by number, without a table of them.
struct Pooling {
  private func traffic(_ sessions: Int, clients: Int = 1, cut: Set<Int> = []) -> RecordedTraffic {
    var traffic = RecordedTraffic()
    for i in 0..<sessions {
      var script = SessionScript(name: "s\(i)", endpoint: "", path: "")
      script.client = Implementation(name: "c\(i % clients)", version: "1")
      script.isCut = cut.contains(i)
      traffic.scripts.append(script)
    }
    return traffic
  }

  private func agents(
    _ traffic: RecordedTraffic, _ count: Int, _ change: (inout PlanOptions) -> Void = { _ in }
  ) -> [PlannedAgent] {
    var options = PlanOptions()
    options.resample = .bootstrap
    options.count = .sessions(count)
    change(&options)
    return Planner(traffic, options).plan().firstAgents(.max)
  }

  @Test(arguments: [1, 2, 3, 7, 64, 500])
  func `those who follow in a closed load come once each, in an order of their own`(_ count: Int) {
    var options = PlanOptions()
    options.load = .agents(1)
    options.count = .sessions(count)
    let plan = Planner(traffic(7), options).plan()
    let agents = (0...count).compactMap { plan.agent($0) }
    #expect(agents.count == count)
    #expect(Set(agents.map { [$0.script, $0.clone] }).count == count)
    if count > 7 { #expect(agents.map(\.script) != agents.indices.map { $0 % 7 }) }
  }

  @Test func `a bootstrap draws with replacement and gives each client its share`() {
    let agents = agents(traffic(10, clients: 2), 1000)
    let copies = Dictionary(grouping: agents, by: \.script).mapValues(\.count)
    #expect(agents.count { $0.script % 2 == 0 } == 500)
    #expect(Set(copies.values).count > 3)
    #expect(copies.values.allSatisfy { (60...140).contains($0) })
    #expect(Set(agents.map(\.seed)).count == 1000)
  }

  @Test func `what was not seen whole is drawn half as often`() {
    let cut = agents(traffic(2, cut: [1]), 3000).count { $0.script == 1 }
    #expect((900...1100).contains(cut))
  }

  @Test func `a cohort of a bootstrap shares its session`() {
    let agents = agents(traffic(50), 100) { $0.burst = .cohort(5) }
    let groups = Dictionary(grouping: agents) { $0.clone / 5 }
    #expect(groups.count == 20)
    #expect(groups.values.allSatisfy { Set($0.map(\.script)).count == 1 })
    #expect(Set(agents.map(\.script)).count > 10)
  }

  @Test func `a later lap has copies of its own`() {
    var options = PlanOptions()
    options.load = .agents(2)
    options.duration = 1_000_000_000
    let plan = Planner(traffic(6), options).plan()
    let laps = (0..<24).compactMap { plan.agent($0) }
    #expect(Set(laps.map { [$0.script, $0.clone] }).count == 24)
    #expect(Set(laps.map(\.seed)).count == 24)
  }
}
