public import Analysis

/// How like its recording a replay was, for people.
public struct FidelityText {
  private let fidelity: ReplayFidelity

  /// Renders `fidelity`.
  public init(_ fidelity: ReplayFidelity) { self.fidelity = fidelity }

  /// Verdict, the table of gates, what was wrong with chains, and tools whose outcomes changed; with line ends.
  public var text: String {
    let missed = fidelity.gates.count { $0.isMet == false }
    var out =
      (missed == 0 ? "FAITHFUL" : "NOT FAITHFUL: \(Format.count(missed, "gate")) missed")
      + "; \(Format.count(fidelity.sessions, "session")), copies of "
      + "\(Format.count(fidelity.sources, "recorded one"))\n\n"
    var table = Table([
      .text("figure"), .text("this replay"), .text("wanted", limit: 90), .text(""),
    ])
    for gate in fidelity.gates {
      table.add([
        gate.name, gate.value, gate.limit, gate.isMet.map { $0 ? "ok" : "MISSED" } ?? "",
      ])
    }
    out += table.text()
    for fault in fidelity.faults { out += "  \(Format.printable(fault))\n" }
    return out + tools
  }

  private var tools: String {
    let changed = fidelity.tools.filter { $0.value.okErr + $0.value.errOK > 0 }
    guard !changed.isEmpty else { return "" }
    var table = Table([
      .text("tool", limit: 40), .number("ok, ok"), .number("ok, failed"), .number("failed, ok"),
      .number("failed, failed"),
    ])
    for (tool, outcomes) in changed.sorted(by: { $0.key < $1.key }) {
      table.add([
        tool, "\(outcomes.okOK)", "\(outcomes.okErr)", "\(outcomes.errOK)", "\(outcomes.errErr)",
      ])
    }
    return "\noutcomes then, now\n" + table.text()
  }
}
