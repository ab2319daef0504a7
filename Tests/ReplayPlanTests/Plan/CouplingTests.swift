import ReplayPlan
import TestKit
import Testing
import Trace

/// When requests are due under other couplings, jitter, and for clients that come in later.
struct Coupled {
  private func run(
    _ options: PlanOptions, start: Int64 = 0, entry: Int64 = 0, seed: UInt64 = 0,
    service: Int64 = 0
  ) -> (AgentSimulation, AgentScript) {
    let session = Conversation.script(Conversation.desk())
    let script = AgentScript(session, options)
    var agent = AgentSimulation(
      session, options: options, start: start, entry: entry, seed: seed
    ) { request, _ in
      guard case .step(let i) = request.purpose else { return .init() }
      return .init(
        after: session.steps[i].kind == .openStream ? nil : session.steps[i].service + service,
        fields: AgentSimulation.session)
    }
    agent.run()
    return (agent, script)
  }

  private func options(_ change: (inout PlanOptions) -> Void) -> PlanOptions {
    var options = PlanOptions()
    change(&options)
    return options
  }

  private static let late: Int64 = 300_000_000

  @Test(arguments: PlanOptions.Coupling.allCases)
  func `a server as fast as the recorded one gives the recorded times`(
    _ coupling: PlanOptions.Coupling
  ) {
    let (agent, script) = run(options { $0.coupling = coupling })
    for sent in agent.sent { #expect(sent.at == script.timing.ideal[sent.step]) }
    #expect(agent.end?.isChainExact == true)
  }

  @Test
  func `a slow server moves what waits for it under gap, and under max only what is overtaken`() {
    let (gap, script) = run(options { $0.coupling = .gap }, service: Self.late)
    let (max, _) = run(options { $0.coupling = .max }, service: Self.late)
    let (strict, _) = run(options { $0.coupling = .strict }, service: Self.late)
    let last = script.session.steps.lastIndex { $0.isCall } ?? 0
    func at(_ agent: AgentSimulation) -> Int64 { agent.sent.first { $0.step == last }?.at ?? 0 }
    #expect(at(gap) == script.timing.ideal[last] + 3 * Self.late)
    #expect(at(max) >= script.timing.ideal[last])
    #expect(at(strict) <= at(max) && at(max) <= at(gap))
  }

  @Test func `a fast server does not pull anything before its ideal offset under max`() {
    let (gap, script) = run(options { $0.coupling = .gap }, service: -1_000_000)
    let (max, _) = run(options { $0.coupling = .max }, service: -1_000_000)
    #expect(gap.sent.contains { $0.at < script.timing.ideal[$0.step] })
    #expect(max.sent.allSatisfy { $0.at >= script.timing.ideal[$0.step] })
  }

  @Test(arguments: [ThinkJitter.uniform(0.2), .lognormal(0.5)])
  func `jitter moves turns, each copy's in its own way, and keeps siblings together`(
    _ jitter: ThinkJitter
  ) {
    let options = options { $0.thinkJitter = jitter }
    let (one, script) = run(options, seed: 1)
    let (two, _) = run(options, seed: 2)
    let (again, _) = run(options, seed: 1)
    #expect(one.sent == again.sent)
    #expect(one.sent != two.sent)
    let timing = script.timing(seed: 1)
    for sent in one.sent { #expect(sent.at == timing.ideal[sent.step]) }
    let siblings = one.sent.filter { $0.step == 4 || $0.step == 5 }.map(\.at)
    #expect(siblings[1] - siblings[0] == 2_000_002)
  }

  @Test func `recorded think times are drawn between the same two tools`() {
    var lines: [TraceEvent] = []
    for (i, think) in [100, 200, 300].enumerated() {
      var session = SessionLines("s\(i + 1)", start: 0)
      let first = session.answer(session.call("a", t: 0, turn: 1), t: 10)
      session.call("b", t: 10 + Int64(think), turn: 2, after: [first])
      lines += session.events
    }
    let traffic = Conversation.traffic(lines)
    var options = PlanOptions()
    options.thinkJitter = .recorded
    let script = Planner(traffic, options).plan().scripts[0]
    let last = script.session.steps.count - 1
    let drawn = Set((0..<60).map { script.timing(seed: $0).think[last] })
    #expect(drawn == [100, 200, 300])
  }

  @Test func `who comes in later makes up for what the rest needs and then keeps time`() {
    let session = Conversation.script(Conversation.desk())
    let full = AgentScript(session, PlanOptions())
    let calls = session.steps.indices.filter { session.steps[$0].isCall }
    // Between the first call and the parallel ones, which take a value of its answer.
    let age = (full.timing.idealDone[calls[0]] + full.timing.ideal[calls[1]]) / 2
    let (agent, script) = run(PlanOptions(), start: -age, entry: -500_000_000)
    let early = agent.sent.filter { $0.at < 0 }.map(\.step)
    #expect(early.contains(0))
    for sent in agent.sent where sent.at >= 0 {
      #expect(sent.at == script.timing.ideal[sent.step] - age)
    }
    let prologue = agent.records.filter(\.isPrologue).map(\.step)
    #expect(Set(prologue).isSubset(of: Set(early)))
    #expect(agent.records.filter { !$0.isPrologue && session.steps[$0.step].isCall }.count == 3)
    #expect(agent.omitted.isEmpty)
    #expect(agent.end?.isChainExact == true)
  }

  @Test func `a server that is slow to let someone in delays what follows and nothing is lost`() {
    let session = Conversation.script(Conversation.desk())
    let age = AgentScript(session, PlanOptions()).timing.length - 1_000_000
    let (agent, script) = run(
      PlanOptions(), start: -age, entry: -1000, service: 5_000_000_000)
    #expect(agent.end != nil)
    let left = session.steps.indices.filter { script.timing.ideal[$0] >= age }
    #expect(Set(agent.sent.map(\.step)).isSuperset(of: left))
  }
}
