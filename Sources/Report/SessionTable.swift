public import Analysis
import Trace

/// The sessions of a trace, one a row.
public enum SessionTable {
  /// Returns the table of `sessions`, about 100 columns wide.
  public static func text(_ sessions: [RecordedSession]) -> String {
    var table = Table([
      .text("name", limit: 8), .text("via", limit: 8), .text("revision", limit: 10),
      .text("client", limit: 16), .text("known by", limit: 26), .number("conf"), .text("end"),
      .number("turns"), .number("calls"), .number("ok/err"),
    ])
    for session in sessions {
      let summary = SessionSummary(session)
      let ok = summary.outcomes[.ok] ?? 0
      table.add([
        session.name, session.line.map { via($0.transport) } ?? "?",
        session.line?.revision ?? "?", session.line?.client.map { name($0) } ?? "?",
        summary.key.map(key) ?? "?",
        summary.key.map { Format.decimal($0.confidence, digits: 2) } ?? "?",
        (summary.start == .cut ? "cut, " : "") + (summary.end?.rawValue ?? "open"),
        "\(summary.turns)",
        "\(summary.calls)", "\(ok)/\(summary.calls - ok)",
      ])
    }
    return table.text()
  }

  private static func via(_ transport: SessionLine.Transport) -> String {
    switch transport {
    case .streamableHTTP: "http"
    case .httpSSE: "http+sse"
    case .stdio: "stdio"
    }
  }

  /// Name and version of a peer.
  static func name(_ peer: Implementation) -> String {
    peer.version.isEmpty ? peer.name : "\(peer.name) \(peer.version)"
  }

  private static func key(_ key: SessionKey) -> String {
    key.value.map { "\(key.by.rawValue) \(Format.shortened($0))" } ?? key.by.rawValue
  }
}
