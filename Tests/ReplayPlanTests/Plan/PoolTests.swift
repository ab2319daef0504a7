import MCP
import TestKit
import Testing
import Trace

@testable import ReplayPlan

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

  private func pool(
    _ traffic: RecordedTraffic, _ count: Int, _ change: (inout PlanOptions) -> Void = { _ in }
  ) -> AgentPool {
    var options = PlanOptions()
    options.resample = .bootstrap
    change(&options)
    return AgentPool(traffic, count: count, options: options)
  }

  @Test(arguments: [1, 2, 3, 7, 64, 1000, 4097])
  func `a permutation takes every place once`(_ count: Int) {
    let permutation = Permutation(count: count, seed: 5)
    let places = (0..<count).map { permutation($0) }
    #expect(places.sorted() == Array(0..<count))
    if count > 7 { #expect(places != Array(0..<count)) }
  }

  @Test func `a bootstrap draws with replacement and gives each client its share`() {
    let pool = pool(traffic(10, clients: 2), 1000)
    let agents = (0..<1000).map { pool.agent($0) }
    let copies = Dictionary(grouping: agents, by: \.script).mapValues(\.count)
    #expect(agents.count { $0.script % 2 == 0 } == 500)
    #expect(Set(copies.values).count > 3)
    #expect(copies.values.allSatisfy { (60...140).contains($0) })
    #expect(Set(agents.map(\.seed)).count == 1000)
  }

  @Test func `what was not seen whole is drawn half as often`() {
    let pool = pool(traffic(2, cut: [1]), 3000)
    let cut = (0..<3000).count { pool.agent($0).script == 1 }
    #expect((900...1100).contains(cut))
  }

  @Test func `a cohort of a bootstrap shares its session`() {
    let pool = pool(traffic(50), 100) { $0.burst = .cohort(5) }
    for group in 0..<20 {
      #expect(Set((0..<5).map { pool.agent(group * 5 + $0).script }).count == 1)
    }
    #expect(Set((0..<100).map { pool.agent($0).script }).count > 10)
  }

  @Test func `a later lap has copies of its own`() {
    let pool = pool(traffic(3), 6) { $0.resample = .balanced }
    let laps = [-1, 0, 1, 2].flatMap { lap in (0..<6).map { pool.agent($0, lap: lap) } }
    #expect(Set(laps.map { [$0.script, $0.clone] }).count == 24)
    #expect(Set(laps.map(\.seed)).count == 24)
  }
}
