import Trace

/// Reads threshold expressions, one character after the other.
struct ThresholdParser {
  struct Figure {
    var path: [String]
    var isComplement = false
    /// True when it is a time, in milliseconds.
    var isTime: Bool { path.contains { $0.hasSuffix("_ms") } }
  }

  struct Parts {
    var figure: Figure
    var comparison: Threshold.Comparison
    var limit: Double
    var window: Int?
    var live: LiveFigure?
  }

  private let expression: String
  private let text: [Character]
  private var i = 0

  init(_ expression: String) {
    self.expression = expression
    text = Array(expression)
  }

  private func error(_ reason: String, at: Int? = nil) -> Threshold.SyntaxError {
    .init(expression: expression, at: at ?? i, reason: reason)
  }

  private mutating func skipSpace() { while i < text.count, text[i].isWhitespace { i += 1 } }

  mutating func parse() throws(Threshold.SyntaxError) -> Parts {
    skipSpace()
    let start = i
    let names = try self.names()
    let group = try self.group()
    let figure = try resolve(names, group, at: start)
    skipSpace()
    let comparison = try self.comparison()
    skipSpace()
    let limit = try self.limit(figure)
    let window = try self.window()
    skipSpace()
    if i < text.count { throw error("expected the end here, or 'over' and a duration") }
    var parts = Parts(figure: figure, comparison: comparison, limit: limit, window: window)
    if window != nil {
      parts.live = LiveFigure(figure.path, isComplement: figure.isComplement)
      if parts.live == nil {
        throw error(
          "this figure has no windows; those that have: success_ratio, error_ratio, new_error_ratio, within_400ms, calls_per_s, "
            + "outcomes, quantiles of from_sent, from_due, first_byte and lag, each but lag also of one tool",
          at: start)
      }
    }
    return parts
  }

  /// Names between dots; a name in quotes may hold anything.
  private mutating func names() throws(Threshold.SyntaxError) -> [String] {
    var names = [try name(until: "<>=!(.")]
    while i < text.count, text[i] == "." {
      i += 1
      names.append(try name(until: "<>=!(."))
    }
    return names
  }

  private mutating func name(until ends: String) throws(Threshold.SyntaxError) -> String {
    skipSpace()
    let start = i
    if i < text.count, text[i] == "'" || text[i] == "\"" {
      let quote = text[i]
      i += 1
      var name = ""
      while i < text.count, text[i] != quote {
        name.append(text[i])
        i += 1
      }
      guard i < text.count else { throw error("this quote is never closed", at: start) }
      i += 1
      return name
    }
    while i < text.count, !ends.contains(text[i]), !text[i].isWhitespace { i += 1 }
    guard i > start else {
      throw error("expected the name of a figure here; " + Threshold.examples)
    }
    return String(text[start..<i])
  }

  private mutating func group() throws(Threshold.SyntaxError) -> (kind: String, name: String)? {
    skipSpace()
    guard i < text.count, text[i] == "(" else { return nil }
    i += 1
    let at = i
    let kind = try name(until: "=)<>!")
    guard ["tool", "turn", "stage"].contains(kind) else {
      throw error("expected tool=, turn= or stage= here", at: at)
    }
    skipSpace()
    guard i < text.count, text[i] == "=" else { throw error("expected '=' and a name here") }
    i += 1
    let name = try name(until: ")")
    skipSpace()
    guard i < text.count, text[i] == ")" else { throw error("expected ')' here") }
    i += 1
    return (kind, name)
  }

  private mutating func comparison() throws(Threshold.SyntaxError) -> Threshold.Comparison {
    let start = i
    while i < text.count, "<>=!".contains(text[i]) { i += 1 }
    let word = String(text[start..<i])
    if let comparison = Threshold.Comparison(rawValue: word == "=" ? "==" : word) {
      return comparison
    }
    throw error("expected <, <=, >, >=, == or != here", at: start)
  }

  private static let units: [(String, nanoseconds: Double)] = [
    ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
  ]

  private mutating func number() throws(Threshold.SyntaxError) -> (
    value: Double, unit: String, at: Int
  ) {
    let start = i
    while i < text.count, text[i].isASCII, text[i].isNumber || ".-+eE".contains(text[i]) { i += 1 }
    guard let value = Double(String(text[start..<i])), value.isFinite else {
      throw error("expected a number here", at: start)
    }
    let unitAt = i
    while i < text.count, text[i].isLetter || text[i] == "%" { i += 1 }
    return (value, String(text[unitAt..<i]), unitAt)
  }

  private mutating func limit(_ figure: Figure) throws(Threshold.SyntaxError) -> Double {
    let (value, unit, at) = try number()
    if unit.isEmpty { return value }
    if unit == "%" {
      if figure.isTime { throw error("this figure is a time: expected ms, s or the like", at: at) }
      return value / 100
    }
    guard let scale = ThresholdParser.units.first(where: { $0.0 == unit })?.nanoseconds else {
      throw error("unknown unit '\(unit)'; want ns, us, ms, s, m, h or %", at: at)
    }
    guard figure.isTime else {
      throw error("this figure is no time: expected a bare number or %", at: at)
    }
    return value * scale / 1e6
  }

  private mutating func window() throws(Threshold.SyntaxError) -> Int? {
    skipSpace()
    guard i < text.count else { return nil }
    let start = i
    while i < text.count, text[i].isLetter { i += 1 }
    guard String(text[start..<i]) == "over" else {
      throw error("expected the end here, or 'over' and a duration", at: start)
    }
    skipSpace()
    let at = i
    let (value, unit, unitAt) = try number()
    guard
      let scale = ThresholdParser.units.first(where: { $0.0 == (unit.isEmpty ? "s" : unit) })?
        .nanoseconds
    else { throw error("unknown unit '\(unit)'; want s, m or h", at: unitAt) }
    let seconds = value * scale / 1e9
    guard seconds >= 1, seconds <= 3600, Double(Int(seconds)) == seconds else {
      throw error("a window is whole seconds, from 1s to 1h", at: at)
    }
    return Int(seconds)
  }

  // MARK: What names mean

  private static let quantiles = ["p50", "p90", "p95", "p99", "p999", "max", "mean"]
  private static let views = ["from_due", "from_sent", "first_byte", "from_intended", "adjusted"]
  private static let places: [String: [String]] = [
    "calls_per_s": ["throughput"], "peak_calls_per_s": ["throughput"], "chains_exact": ["fidelity"],
    "execution_rmse": ["fidelity"], "waits_on_order": ["fidelity"], "idc": ["fidelity"],
    "peak_concurrency": ["fidelity"],
  ]

  private func resolve(
    _ names: [String], _ group: (kind: String, name: String)?, at: Int
  ) throws(Threshold.SyntaxError) -> Figure {
    var path = names.map {
      ["lag", "read_lag", "slip", "think_error", "latency"].contains($0) ? $0 + "_ms" : $0
    }
    let isComplement = path == ["error_ratio"]
    if isComplement { path = ["success_ratio"] }
    if path.count == 1, ThresholdParser.quantiles.contains(path[0]) {
      path.insert("from_sent", at: 0)
    }
    if path.count == 2, path[0] == "latency_ms", ThresholdParser.quantiles.contains(path[1]) {
      path.insert("from_sent", at: 1)
    }
    if ThresholdParser.views.contains(path[0]) { path.insert("latency_ms", at: 0) }
    if path.count == 1, Outcome(rawValue: path[0]) != nil { path.insert("outcomes", at: 0) }
    if let place = ThresholdParser.places[path[0]] { path = place + path }
    guard let group else { return Figure(path: path, isComplement: isComplement) }
    let known = ["calls", "success_ratio", "within_400ms", "outcomes", "latency_ms"]
    guard known.contains(path[0]),
      path[0] != "latency_ms" || path.count == 3 && path[1] == "from_sent"
    else {
      throw error(
        "a \(group.kind) has calls, success_ratio, error_ratio, within_400ms, outcomes, and p50 to p999, max and mean from sending",
        at: at)
    }
    if path[0] == "latency_ms" { path.remove(at: 1) }
    return Figure(path: [group.kind + "s", group.name] + path, isComplement: isComplement)
  }
}
