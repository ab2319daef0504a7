import ReplayPlan
import Synchronization

/// What all loops count together while a run goes on.
final class RunGauges: Sendable {
  private let agentsOpen = Atomic<Int>(0)
  private let agentsPeak = Atomic<Int>(0)
  private let callsOpen = Atomic<Int>(0)
  private let callsPeak = Atomic<Int>(0)
  private let callsSent = Atomic<Int>(0)
  private let callsFailed = Atomic<Int>(0)
  private let agentsTaken: Atomic<Int>

  private let stop = Atomic<UInt8>(0)

  /// `taken` agents of a closed load have their places.
  init(taken: Int) { agentsTaken = Atomic(taken) }

  /// Why no more agents start; `nil` while they do.
  var stopReason: AgentStop? {
    switch stop.load(ordering: .relaxed) {
    case 0: nil
    case 1: .duration
    case 2: .drain
    default: .now
    }
  }

  /// Takes that no more agents start; the first reason holds.
  func stopped(_ how: AgentStop) {
    let code: UInt8 = how == .duration ? 1 : how == .drain ? 2 : 3
    _ = stop.compareExchange(expected: 0, desired: code, ordering: .relaxed)
  }

  /// Takes the place of the next agent in the plan's order.
  func takeNext() -> Int { agentsTaken.wrappingAdd(1, ordering: .relaxed).oldValue }

  func agentStarted() { RunGauges.raise(agentsOpen, agentsPeak) }
  func agentEnded() { agentsOpen.wrappingSubtract(1, ordering: .relaxed) }

  func callSent() {
    callsSent.wrappingAdd(1, ordering: .relaxed)
    RunGauges.raise(callsOpen, callsPeak)
  }

  func callEnded(failed: Bool) {
    callsOpen.wrappingSubtract(1, ordering: .relaxed)
    if failed { callsFailed.wrappingAdd(1, ordering: .relaxed) }
  }

  /// The present state, for a progress line.
  var progress: RunProgress {
    RunProgress(
      agents: agentsOpen.load(ordering: .relaxed), inFlight: callsOpen.load(ordering: .relaxed),
      sent: callsSent.load(ordering: .relaxed), failed: callsFailed.load(ordering: .relaxed))
  }

  var peakAgents: Int { agentsPeak.load(ordering: .relaxed) }
  var peakCalls: Int { callsPeak.load(ordering: .relaxed) }

  private static func raise(_ gauge: borrowing Atomic<Int>, _ peak: borrowing Atomic<Int>) {
    let now = gauge.wrappingAdd(1, ordering: .relaxed).newValue
    if peak.load(ordering: .relaxed) < now { peak.max(now, ordering: .relaxed) }
  }
}

/// How far a run is.
public struct RunProgress: Hashable, Sendable {
  /// Agents open.
  public var agents: Int
  /// Calls in flight.
  public var inFlight: Int
  /// Calls sent.
  public var sent: Int
  /// Calls that did not succeed.
  public var failed: Int
}
