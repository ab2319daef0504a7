/// What a validation found.
public struct ValidationReport: Sendable {
  /// One thing that is wrong.
  public struct Finding: Hashable, Sendable {
    /// Line number from 1; `nil` when it concerns the whole file.
    public let line: Int?
    /// What is wrong.
    public let reason: String
  }

  /// Lines that were read.
  public internal(set) var lines = 0
  /// Sessions that were found.
  public internal(set) var sessions = 0
  /// What makes the trace invalid, in order of lines; at most as many as were asked for.
  public internal(set) var errors: [Finding] = []
  /// All errors, also those that are not listed.
  public internal(set) var errorCount = 0
  /// What is odd, but allowed.
  public internal(set) var warnings: [Finding] = []

  /// True without errors.
  public var isValid: Bool { errorCount == 0 }
}

/// Errors and warnings as they are found, bounded.
struct Findings {
  private static let warningLimit = 20
  private let limit: Int
  private(set) var errors: [ValidationReport.Finding] = []
  private(set) var errorCount = 0
  private(set) var warnings: [ValidationReport.Finding] = []

  init(limit: Int) { self.limit = limit }

  mutating func error(_ line: Int?, _ reason: String) {
    errorCount += 1
    if errors.count < limit { errors.append(.init(line: line, reason: reason)) }
  }

  mutating func warning(_ line: Int?, _ reason: String) {
    if warnings.count < Findings.warningLimit {
      warnings.append(.init(line: line, reason: reason))
    }
  }
}
