public import Analysis
import Basics
import Trace

/// What a trace is, in a line or two.
public enum TraceHeading {
  /// Returns the lines: file, source, time, losses.
  public static func text(_ contents: TraceContents, file: String) -> String {
    var parts: [String] = []
    if let header = contents.headers.first {
      parts.append("\(header.source.rawValue) recording from \(instant(header.t0))")
      parts.append("by \(header.recorder)")
      if let payloads = header.payloads, payloads != .full {
        parts.append("payloads \(payloads.rawValue)")
      }
    }
    if contents.footer == nil { parts.append("not closed by its recorder") }
    var out = Format.printable(file + ": " + parts.joined(separator: ", ")) + "\n"
    let loss = contents.loss.sorted { $0.key < $1.key }
    if !loss.isEmpty {
      let list = loss.map { "\($0.key) \($0.value.count) (\($0.value.bytes) bytes)" }
      out += Format.printable("not understood or not kept: " + list.joined(separator: ", ")) + "\n"
    }
    return out + "\n"
  }

  /// To the second, UTC.
  private static func instant(_ time: Timestamp) -> String {
    time.description.prefix(19).map { $0 == "T" ? " " : String($0) }.joined() + " UTC"
  }
}
