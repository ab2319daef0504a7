public import Analysis
import Basics
import Trace

/// The data flow of a session as people read it: each answer that gave values out, and the requests that took them.
///
///     n5 search → n6
///        /content/0/text#/ids/0 → n7 read /arguments/ticket
public enum SessionFlow {
  /// Returns the flow of a session, answers in order; a line without any says so.
  public static func text(_ session: RecordedSession) -> String {
    let messages = session.messages
    var takers: [Int: [(use: ValueUse, by: RequestLine)]] = [:]
    for request in messages.requests {
      for use in request.valueUses { takers[use.from, default: []].append((use, request)) }
    }
    let count = takers.values.reduce(0) { $0 + $1.count }
    var lines = [
      "\(session.name)  data flow: \(count) value\(count == 1 ? "" : "s") from "
        + "\(takers.count) answer\(takers.count == 1 ? "" : "s")"
    ]
    let names = Dictionary(
      messages.requests.map { ($0.n, $0.tool ?? $0.method) },
      uniquingKeysWith: { first, _ in first })
    let asked = Dictionary(
      messages.responses.map { ($0.n, $0.re) }, uniquingKeysWith: { first, _ in first })
    for (n, uses) in takers.sorted(by: { $0.key < $1.key }) {
      let source = asked[n].map { "n\($0) \(names[$0] ?? "?")" } ?? "?"
      lines.append("  \(source) → n\(n)")
      for (use, request) in uses {
        lines.append(
          "     \(place(use.path, use.within)) → n\(request.n) \(request.tool ?? request.method) "
            + place(use.at, use.atWithin))
      }
    }
    return lines.map { Format.fitted(Format.printable($0), 100) + "\n" }.joined()
  }

  /// A path, with the text around the value where it is a part of a longer one.
  private static func place(_ path: String, _ around: ValueUse.Surroundings?) -> String {
    guard let around else { return path }
    return "\(path) “\(Format.shortened(around.before))…\(Format.shortened(around.after))”"
  }
}
