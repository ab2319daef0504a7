import Basics
import ReplayPlan
import Testing
import Trace

/// When an agent sends what.
struct `Agent timing` {
  /// Answers as fast as the recording did.
  private func asRecorded(_ script: SessionScript) -> (AgentSimulation.Request, Int)
    -> AgentSimulation.Reply
  {
    { request, _ in
      guard case .step(let i) = request.purpose else { return .init() }
      if script.steps[i].kind == .openStream { return .init(after: nil) }
      return .init(
        after: script.steps[i].service, fields: AgentSimulation.session,
        content: script.steps[i].kind == .request ? #""result":{}"# : "")
    }
  }

  @Test func `at scale one the recorded offsets come back to the nanosecond`() {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script, start: 77, serve: asRecorded(script))
    agent.run()
    let offsets: [Int64] = [
      0, 6_000_000, 8_000_001, 1_000_000_017, 3_000_000_001, 3_002_000_003, 4_000_000_011,
      5_000_000_000,
    ]
    #expect(
      agent.sent == offsets.enumerated().map { .init(step: $0.offset, at: $0.element + 77) })
    #expect(agent.end == AgentEnd(isChainExact: true, lostSession: false))
    #expect(agent.records.map { $0.due - $0.ideal } == [0, 0, 0, 0, 0])
  }

  @Test func `a call is due its think time after the latest answer of this run`() {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { request, _ in
      guard case .step(let i) = request.purpose else { return .init() }
      // The first of the parallel reads takes two seconds now.
      let slow: Int64 = i == 4 ? 2_000_000_000 : 1
      return .init(after: slow)
    }
    agent.run()
    let think = script.steps[6].think
    let reads = agent.sent.filter { $0.step == 4 }.map(\.at)
    #expect(
      agent.sent.filter { $0.step == 6 }.map(\.at) == reads.map { $0 + 2_000_000_000 + think })
  }

  @Test func `siblings go out together although none is answered`() {
    let script = Conversation.script(Conversation.desk())
    var agent = AgentSimulation(script) { request, _ in
      guard case .step(let i) = request.purpose else { return .init() }
      return .init(after: i == 4 || i == 5 ? nil : 0)
    }
    agent.run(stop: (9_000_000_000, .now))
    let reads = agent.sent.filter { $0.step == 4 || $0.step == 5 }
    #expect(reads.map(\.step) == [4, 5])
    #expect(reads[1].at - reads[0].at == 2_000_002)
  }

  @Test func `the scale stretches think times and not service times`() {
    let script = Conversation.script(Conversation.desk())
    var options = PlanOptions()
    options.thinkScale = 0.5
    options.arrivalScale = 0.5
    let scaled = AgentScript(script, options)
    // initialize takes 5,000,123; the search thinks half of 994,999,894.
    #expect(scaled.timing.ideal[3] == 5_000_123 + 497_499_947)
    #expect(scaled.timing.idealDone[3] - scaled.timing.ideal[3] == 20_000_002)
  }

  @Test func `a cap holds after scaling`() {
    let script = Conversation.script(Conversation.desk())
    var options = PlanOptions()
    options.thinkScale = 2
    options.arrivalScale = 2
    options.maxThink = 1_500_000_000
    let capped = AgentScript(script, options)
    #expect(capped.timing.think.max() == 1_500_000_000)
  }

  @Test func `no clock is fast enough to overtake the handshake`() {
    let script = Conversation.script(Conversation.desk())
    var options = PlanOptions()
    options.thinkScale = 0
    options.arrivalScale = 0
    var agent = AgentSimulation(script, options: options) { request, _ in
      guard case .step(let i) = request.purpose else { return .init() }
      return .init(after: i == 1 ? 9_000_000 : 1_000_000)
    }
    agent.run()
    let initialized = agent.requests.first { $0.purpose == .step(1) }?.at ?? 0
    #expect(agent.sent.filter { $0.step > 1 }.allSatisfy { $0.at >= initialized + 9_000_000 })
  }

  @Test func `lateness of one call is not passed on`() {
    let script = Conversation.script(Conversation.desk())
    let agent = AgentScript(script, PlanOptions())
    var machine = AgentMachine(
      agent, RequestBook(agent, AgentSimulation.target), AgentPolicy(), start: 0)
    _ = machine.begin()
    // The loop comes 400 ms late; the due time stays what it was.
    let actions = machine.timer(400_000_000)
    #expect(actions.count == 1)
    machine.sent(1, at: 400_000_000)
    let answer = machine.received(
      1, .head(status: 500, fields: [], at: 400_000_001), 400_000_001)
    #expect(answer.isEmpty)
    let over = machine.received(
      1, .end(isComplete: true, reusable: true, unreadable: false, at: 400_000_002), 400_000_002)
    guard case .record(let record)? = over.first else {
      Issue.record("no record: \(over)")
      return
    }
    #expect(record.due == 0)
    #expect(record.sent == 400_000_000)
    #expect(record.outcome == .httpError)
  }
}
