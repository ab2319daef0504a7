import Trace

/// What all connections of a recording tell, in one order.
final class StepSink {
  private(set) var steps: [ExchangeStep] = []
  private var exchanges = 0

  /// Numbers the next exchange of the recording.
  func numberExchange() -> Int {
    exchanges += 1
    return exchanges
  }

  /// Appends a step.
  func append(_ step: ExchangeStep) { steps.append(step) }

  /// Puts losses in front of the steps that came about with them, which are those from `start` on.
  func insert(_ losses: [LossLine], at start: Int) {
    if !losses.isEmpty { steps.insert(contentsOf: losses.map { .loss($0) }, at: start) }
  }

  /// Takes all steps.
  func take() -> [ExchangeStep] {
    guard !steps.isEmpty else { return [] }
    var taken: [ExchangeStep] = []
    taken.reserveCapacity(min(steps.count, StepSink.mostReserved))
    swap(&taken, &steps)
    return taken
  }

  /// Room for the next steps is made as large as the last took, up to this.
  private static let mostReserved = 1024
}
