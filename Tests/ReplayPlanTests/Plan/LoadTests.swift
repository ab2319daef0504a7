import ReplayPlan
import TestKit
import Testing
import Trace

/// How agents come and go.
struct Loads {
  /// Sessions of five seconds, one after another.
  private func traffic(_ sessions: Int, gap: Int64 = 700_000_000) -> RecordedTraffic {
    Conversation.traffic(
      (0..<sessions).flatMap { Conversation.desk("s\($0 + 1)", at: Int64($0) * gap) })
  }

  private func all(_ plan: Plan) -> [PlannedAgent] { plan.arrivals().flatMap { $0 } }

  private static let second: Int64 = 1_000_000_000

  @Test func `so many sessions are so many`() {
    let plan = Conversation.plan(traffic(3)) { $0.count = .sessions(8) }
    #expect(all(plan).count == 8)
    #expect(plan.sessions == 8)
    #expect(plan.calls == 32)
  }

  @Test func `batches of arrivals are in order and lose none`() {
    let plan = Conversation.plan(traffic(40)) { $0.count = .multiply(6600) }
    var last = Int64.min
    var seeds: Set<UInt64> = []
    var batches = 0
    for batch in plan.arrivals() {
      batches += 1
      #expect(batch.count <= 1 << 18)
      for agent in batch {
        if agent.start < last { Issue.record("\(agent.start) comes after \(last)") }
        last = agent.start
        seeds.insert(agent.seed)
      }
    }
    #expect(batches > 1)
    #expect(seeds.count == 264_000)
    #expect(plan.sessions == 264_000)
    #expect(plan.calls == 1_056_000)
  }

  @Test func `sessions at a rate are a Poisson process`() {
    let plan = Conversation.plan(traffic(3)) {
      $0.load = .rate(20)
      $0.duration = 100 * Self.second
      $0.start = .cold
    }
    #expect(plan.isEndless)
    let starts = all(plan).map(\.start)
    #expect((1800...2200).contains(starts.count))
    #expect(starts == starts.sorted())
    let gaps = zip(starts, starts.dropFirst()).map { Double($1 - $0) }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    #expect(abs(variance.squareRoot() / mean - 1) < 0.1)
  }

  @Test func `groups at a rate come together`() {
    let plan = Conversation.plan(traffic(3)) {
      $0.load = .rate(50)
      $0.burst = .cohort(5)
      $0.duration = 20 * Self.second
      $0.start = .cold
    }
    let groups = Dictionary(grouping: all(plan), by: \.start)
    #expect((150...250).contains(groups.count))
    #expect(groups.values.count { $0.count == 5 } >= groups.count - 1)
  }

  @Test func `a rate that rises starts sessions as its integral does`() {
    let plan = Conversation.plan(traffic(3)) {
      $0.load = .stages([
        .init(duration: 10 * Self.second, target: 40, unit: .rate),
        .init(duration: 10 * Self.second, target: 40, unit: .rate),
        .init(duration: 10 * Self.second, target: 0, unit: .rate),
      ])
    }
    let starts = all(plan).map(\.start)
    let thirds = (0..<3).map { third in
      starts.count { $0 / (10 * Self.second) == Int64(third) }
    }
    #expect((160...240).contains(thirds[0]))
    #expect((340...460).contains(thirds[1]))
    #expect((160...240).contains(thirds[2]))
    let early = starts.count { $0 < 5 * Self.second }
    #expect((30...72).contains(early))
    #expect(plan.holds == [10 * Self.second..<20 * Self.second])
  }

  @Test func `places open and close along the ramps, the last one first`() {
    let plan = Conversation.plan(traffic(3)) {
      $0.load = .stages([
        .init(duration: 10 * Self.second, target: 10, unit: .agents),
        .init(duration: 5 * Self.second, target: 10, unit: .agents),
        .init(duration: 10 * Self.second, target: 0, unit: .agents),
      ])
    }
    let slots = plan.slots
    #expect(slots.map(\.opens) == (0..<10).map { Self.second * $0 + Self.second / 2 })
    #expect(
      slots.map(\.closes) == (0..<10).map { 25 * Self.second - Self.second * $0 - Self.second / 2 })
    #expect(plan.isEndless && plan.isClosed)
    #expect(plan.forecast.peakAgents == 10)
    #expect(plan.forecast.length == 25 * Self.second - Self.second / 2)
  }

  @Test func `a load that runs out of sessions ends before its stages`() {
    let plan = Conversation.plan(traffic(3)) {
      $0.load = .stages([
        .init(duration: 30 * Self.second, target: 10, unit: .agents),
        .init(duration: 600 * Self.second, target: 10, unit: .agents),
      ])
      $0.count = .sessions(2)
    }
    #expect(plan.forecast.sessions == 2)
    #expect(plan.forecast.length < 30 * Self.second)
    #expect(plan.forecast.idcBand == [nil, nil, nil, nil])
  }

  @Test func `the recording begins anew when it is through`() {
    let recorded = traffic(4)
    let plan = Conversation.plan(recorded) {
      $0.loops = true
      $0.duration = 3 * recorded.length
    }
    let starts = all(plan).map(\.start)
    let once = recorded.scripts.map(\.start)
    #expect(starts == (0..<3).flatMap { lap in once.map { $0 + Int64(lap) * recorded.length } })
  }

  @Test func `arrivals and think times have scales of their own`() {
    let recorded = traffic(4)
    let plan = Conversation.plan(recorded) {
      $0.arrivalScale = 2
      $0.thinkScale = 0.5
    }
    #expect(all(plan).map(\.start) == recorded.scripts.map { $0.start * 2 })
    #expect(plan.scripts[0].timing.length < recorded.scripts[0].length)
  }

  @Test func `a cohort shares a phase and others have their own`() {
    let plan = Conversation.plan(traffic(3)) {
      $0.count = .multiply(10)
      $0.burst = .cohort(5)
    }
    for script in 0..<3 {
      let starts = all(plan).filter { $0.script == script }.map(\.start)
      #expect(Set(starts).count == 2)
    }
  }

  @Test func `a stationary start has the recording's load from the first instant on`() {
    // Twenty sessions of five seconds within a hundred: one is open on the average.
    let recorded = traffic(20, gap: 5 * Self.second)
    let plan = Conversation.plan(recorded) {
      $0.count = .multiply(200)
      $0.duration = 10 * Self.second
    }
    let agents = all(plan)
    let expected =
      200 * recorded.scripts.reduce(0.0) { $0 + Double($1.length) } / Double(recorded.length)
    for at in stride(from: 0, to: 10 * Self.second, by: Int(Self.second)) {
      let open = agents.count {
        $0.start <= at && $0.start + plan.scripts[$0.script].timing.length > at
      }
      #expect(abs(Double(open) / expected - 1) < 0.2)
    }
    #expect(plan.forecast.aged == agents.count { $0.start < 0 })
    #expect(abs(plan.forecast.meanAgents / expected - 1) < 0.1)
    #expect(agents.allSatisfy { plan.entry(of: $0) < max(1, $0.start + 1) })
    #expect(plan.prologue > 0)
  }

  @Test func `without being asked the recording itself begins at its beginning`() {
    let plan = Conversation.plan(traffic(3)) { $0.duration = Self.second }
    #expect(plan.forecast.aged == 0)
    #expect(all(plan).map(\.start) == [0, 700_000_000, 1_400_000_000])
  }

  @Test func `a closed load that starts stationary has agents of every age`() {
    let plan = Conversation.plan(traffic(3)) {
      $0.load = .agents(100)
      $0.duration = 3 * Self.second
    }
    let ages = plan.slots.compactMap { $0.first?.age }
    #expect(ages.count == 100)
    #expect(ages.count { $0 < 2_500_000_000 } > 30)
    #expect(ages.count { $0 >= 2_500_000_000 } > 30)
    #expect(plan.slots.allSatisfy { $0.opens == 0 })
  }

  @Test func `the band of bursts holds a faithful run and tells lockstep from independence`() {
    let recorded = traffic(40, gap: 3 * Self.second)
    func band(_ burst: Burst) -> ClosedRange<Double>? {
      Conversation.plan(recorded) {
        $0.count = .multiply(20)
        $0.burst = burst
      }.forecast.idcBand[1]
    }
    let independent = band(.independent)
    let cohort = band(.cohort(5))
    let lockstep = band(.lockstep)
    guard let independent, let cohort, let lockstep else {
      Issue.record("no band")
      return
    }
    #expect(independent.upperBound < cohort.lowerBound)
    #expect(independent.upperBound < lockstep.lowerBound)
    #expect(cohort.upperBound < lockstep.upperBound)
  }

  @Test func `the ups and downs that all copies share weigh more the more of them there are`() {
    let recorded = traffic(40)
    func middle(_ copies: Double) -> Double {
      let plan = Conversation.plan(recorded) {
        $0.count = .multiply(copies)
        $0.phaseWindow = Self.second / 10
        $0.start = .cold
      }
      // Of the larger plan a part is simulated, of the smaller all.
      #expect(plan.forecast.calls == Int(copies) * recorded.scripts.count * 4)
      return plan.forecast.idcBand[1].map { ($0.lowerBound + $0.upperBound) / 2 } ?? 0
    }
    let few = middle(60)
    #expect(few > 1)
    #expect(abs(middle(300) / few / 5 - 1) < 0.1)
  }
}
