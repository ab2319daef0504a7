public import Basics

/// A demand on a run's result, as `success_ratio>0.99`, `p99(tool=search)<400ms` or `lag.p99<5ms over 30s`.
///
/// Grammar: `FIGURE [ "(" GROUP "=" NAME ")" ] OPERATOR NUMBER [UNIT] [ "over" DURATION ]`. A figure is a key of the summary by dotted
/// path (`latency_ms.from_due.p99`); the common ones have short names, and `_ms` at the end of a segment may be left out. Groups are
/// `tool`, `turn` and `stage`. Operators are `<`, `<=`, `>`, `>=`, `==`, `!=`. Units: `ns us ms s m h` for times (without one: ms), `%` for shares.
public struct Threshold: Hashable, Sendable {
  /// How a figure is compared with its limit.
  public enum Comparison: String, CaseIterable, Hashable, Sendable {
    /// Below.
    case less = "<"
    /// Not above.
    case lessOrEqual = "<="
    /// Above.
    case greater = ">"
    /// Not below.
    case greaterOrEqual = ">="
    /// The same.
    case equal = "=="
    /// Anything else.
    case notEqual = "!="

    /// Whether `value` is as demanded.
    public func holds(_ value: Double, _ limit: Double) -> Bool {
      switch self {
      case .less: value < limit
      case .lessOrEqual: value <= limit
      case .greater: value > limit
      case .greaterOrEqual: value >= limit
      case .equal: value == limit
      case .notEqual: value != limit
      }
    }

    /// What holds when this does not.
    var opposite: Comparison {
      switch self {
      case .less: .greaterOrEqual
      case .lessOrEqual: .greater
      case .greater: .lessOrEqual
      case .greaterOrEqual: .less
      case .equal: .notEqual
      case .notEqual: .equal
      }
    }

    /// True when values that are larger are worse.
    var worseIsLarger: Bool { self == .less || self == .lessOrEqual }
  }

  /// Why an expression is no threshold, and where.
  public struct SyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The whole expression.
    public var expression: String
    /// Characters before the place.
    public var at: Int
    /// What is wrong there, and what is wanted.
    public var reason: String

    /// The reason, the expression, and a mark below the place: three lines.
    public var description: String {
      "\(reason)\n  \(expression)\n  \(String(repeating: " ", count: at))^"
    }
  }

  /// As it was written.
  public let expression: String
  /// The figure's path in the summary, short names expanded.
  public let path: [String]
  /// True for one minus the figure: `error_ratio`.
  let isComplement: Bool
  /// How it is compared.
  public private(set) var comparison: Comparison
  /// With what, in the summary's unit.
  public let limit: Double
  /// Length of the windows, each of which has to hold, in seconds; `nil` for the run as a whole.
  public let window: Int?
  /// The figure as a window gives it.
  let live: LiveFigure?

  /// Reads an expression.
  ///
  /// - Throws: `SyntaxError`.
  public init(_ expression: String) throws(SyntaxError) {
    var parser = ThresholdParser(expression)
    let parts = try parser.parse()
    self.expression = expression
    path = parts.figure.path
    isComplement = parts.figure.isComplement
    comparison = parts.comparison
    limit = parts.limit
    window = parts.window
    live = parts.live
  }

  /// The threshold that holds as long as this one does not: what is to be kept off.
  public var negated: Threshold {
    var negated = self
    negated.comparison = comparison.opposite
    return negated
  }

  /// Characters of the expression that name the figure.
  private var figureEnd: Int {
    expression.prefix { !"<>=!(".contains($0) && $0 != " " }.count
  }

  /// Checks that the summary has such a figure, with a summary of nothing, and that the recording has the tool.
  ///
  /// - Throws: `SyntaxError`.
  public func check(in summary: JSONValue, tools: Set<String>) throws(SyntaxError) {
    if path.first == "tools", path.count > 1, !tools.contains(path[1]) {
      let known = tools.sorted().prefix(8).joined(separator: ", ")
      throw SyntaxError(
        expression: expression, at: figureEnd,
        reason: "the recording has no tool '\(path[1])'; it has \(known)")
    }
    var place = summary
    for (i, key) in path.enumerated() {
      // What is in these depends on the run.
      if i == 1, ["tools", "turns", "stages", "requests"].contains(path[0]) { return }
      guard let next = place[key] else {
        let known = place.members?.map(\.key).joined(separator: ", ") ?? "nothing"
        let prefix = path[..<i].joined(separator: ".")
        throw SyntaxError(
          expression: expression, at: 0,
          reason: i == 0
            ? "there is no figure '\(key)'; \(Threshold.examples)"
            : "'\(prefix)' has no '\(key)'; it has \(known)")
      }
      place = next
    }
    guard place.members == nil, place.array == nil, place.string == nil, place.bool == nil else {
      throw SyntaxError(
        expression: expression, at: figureEnd,
        reason: "'\(path.joined(separator: "."))' is no single figure"
          + (place.members.map { "; it has \($0.map(\.key).joined(separator: ", "))" } ?? ""))
    }
  }

  static let examples =
    "want success_ratio, error_ratio, within_400ms, p50 to p999, lag.p99, calls_per_s, an outcome as timeout, or a key of the summary as latency_ms.from_due.p99"

  /// Returns whether a summary is as demanded; for thresholds without windows.
  public func evaluated(in summary: JSONValue) -> ReplaySummary.ThresholdResult {
    var place: JSONValue? = summary
    for key in path {
      if let elements = place?.array, let number = Int(key) {
        place = elements.indices.contains(number &- 1) ? elements[number &- 1] : nil
      } else {
        place = place?[key]
      }
    }
    guard let found = place?.double else {
      return .init(
        expression: expression, isMet: false, value: nil, limit: limit,
        note: place == nil
          ? "the run had nothing of the kind"
          : "the run does not give it: too few calls (a quantile wants ten beyond it)")
    }
    let value = isComplement ? 1 - found : found
    return .init(
      expression: expression, isMet: comparison.holds(value, limit), value: value, limit: limit)
  }
}
