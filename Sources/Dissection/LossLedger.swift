import Basics
import Trace

/// Keeps the balance: every stream byte is explained or counted under a named loss. Each stage has its own.
final class LossLedger {
  /// Stream bytes that came in, and those known to be missing (gaps).
  var bytesIn = 0
  /// Those that became part of a message.
  var bytesExplained = 0
  /// All others, by name.
  private(set) var losses: [String: FooterLine.Loss] = [:]
  private var lines: [LossLine] = []
  private let t0: Timestamp

  init(t0: Timestamp) { self.t0 = t0 }

  /// Counts a loss and writes its line. `bytes` of the line are stream bytes, not part of any message; `count` is how
  /// often it befell the exchange at once.
  func note(_ line: LossLine, count: Int = 1, at: Timestamp) {
    var line = line
    line.t = at - t0
    lines.append(line)
    losses[line.kind, default: .init(count: 0, bytes: 0)].count += count
    losses[line.kind]?.bytes += line.bytes ?? 0
  }

  /// Takes the lines noted so far.
  func takeLines() -> [LossLine] {
    guard !lines.isEmpty else { return [] }
    defer { lines = [] }
    return lines
  }
}
