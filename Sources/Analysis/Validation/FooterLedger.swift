import Trace

/// Counts what a footer sums up and holds them together.
///
/// Theory: a footer is the last line of a file or segment. Its counts are those of the lines before it; a repeated
/// connection or session may count once or every time. The bytes that came in are explained, or lost under a
/// name: `bytes_in = bytes_explained + Σ loss.bytes`, and in captures `in` is the sum of the other classes.
struct FooterLedger {
  private static let uncounted: Set<String> = ["header", "end", "footer"]
  private var lines: [String: Int] = [:]
  private var connections: Set<Int> = []
  private var sessions: Set<String> = []
  /// True when the last line was a footer.
  private(set) var isClosed = false

  mutating func count(_ event: TraceEvent, line: Int, _ findings: inout Findings) {
    switch event {
    case .header:
      self = FooterLedger()
    case .connection(let value): connections.insert(value.conn)
    case .session(let value): sessions.insert(value.session)
    case .footer(let footer):
      if isClosed { findings.error(line, "a second footer") }
      check(footer, line: line, &findings)
      isClosed = true
      return
    default: break
    }
    if isClosed { findings.error(line, "a line behind the footer") }
    lines[event.type, default: 0] += 1
  }

  private func check(_ footer: FooterLine, line: Int, _ findings: inout Findings) {
    for type in Set(footer.counts.keys).union(lines.keys).sorted() {
      let counted = lines[type] ?? 0
      guard let claimed = footer.counts[type] else {
        if !FooterLedger.uncounted.contains(type) {
          findings.error(line, "counts lacks '\(type)', of which there are \(counted)")
        }
        continue
      }
      let distinct =
        switch type {
        case "connection": connections.count
        case "session": sessions.count
        default: counted
        }
      if type != "footer", claimed != counted, claimed != distinct {
        findings.error(line, "counts says \(claimed) of '\(type)', there are \(counted)")
      }
    }
    let lost = footer.loss.values.reduce(0) { $0 &+ $1.bytes }
    if footer.bytesIn != footer.bytesExplained &+ lost {
      findings.error(
        line,
        "bytes_in is \(footer.bytesIn), but bytes_explained and the losses are "
          + "\(footer.bytesExplained &+ lost)")
    }
    checkClasses(footer.packets, "packets", line: line, &findings)
    checkClasses(footer.tcpBytes, "tcp_bytes", line: line, &findings)
  }

  private func checkClasses(
    _ classes: [String: Int]?, _ key: String, line: Int, _ findings: inout Findings
  ) {
    guard let classes else { return }
    let total = classes["in"] ?? 0
    let sum = classes.filter { $0.key != "in" }.values.reduce(0, &+)
    if total != sum {
      findings.error(line, "\(key): in is \(total), but the other classes are \(sum)")
    }
  }
}
