public import Basics
public import ReplayPlan

/// What became of one step of a script, for those who look at each.
public struct StepEnd: Sendable {
  /// What became of it.
  public enum How: Sendable {
    /// Its request is over; the result or error never has the token in it that the run was given.
    case over(RequestRecord, answer: RawJSON?)
    /// It is a call, and was not sent; without a reason the run was interrupted.
    case omitted(SkipReason?)
  }

  /// Index of the script in the plan.
  public var script: Int
  /// Index of the step in the script.
  public var step: Int
  /// What became of it.
  public var how: How
}
