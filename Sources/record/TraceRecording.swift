import Basics
import Dissection
import Trace

/// A trace being written, and what the closing summary says of it: what all sources end in.
final class TraceRecording {
  /// After `kill -9` all up to the last flush is readable; the contract says at least every second.
  static let flushInterval = Duration.milliseconds(500)

  /// The lines that are to be written next.
  let lines = TraceLines(.text)
  private let writer: TraceWriter

  /// Creates the trace and writes its header.
  init(
    output: TraceOutput, source: HeaderLine.Source, t0: Timestamp, options: DissectionOptions,
    inputs: [String]? = nil
  ) throws(TraceWriter.CreationError) {
    writer = try TraceWriter(path: output.path, level: output.level)
    var header = HeaderLine(recorder: "record \(Record.version)", source: source, t0: t0)
    header.inputs = inputs
    header.redaction = options.redaction
    header.payloads = options.payloads
    writer.write(.header(header))
  }

  /// Writes what has gathered to the file, when it is much.
  func write() {
    if lines.byteCount >= TraceWriter.flushSize { writer.write(lines) }
  }

  /// Writes what has gathered to the file.
  func flush() {
    writer.write(lines)
    writer.flush()
  }

  /// Writes the footer and closes. Returns the last `errno` of writing, if any failed.
  func close(_ footer: FooterLine) -> Int32? {
    writer.write(lines)
    return writer.close(footer: footer)
  }

  /// One sentence on what was recorded, and one for each loss.
  func summary(_ footer: FooterLine) -> [String] {
    // Every session has one end.
    let (sessions, requests) = (writer.counts["end"] ?? 0, writer.counts["request"] ?? 0)
    var lines = [
      "recorded \(count(sessions, "session")), \(count(requests, "request")), "
        + "\(count(lines.logicalCalls, "tool call")); \(footer.bytesExplained) of \(footer.bytesIn) stream bytes explained"
    ]
    for (kind, loss) in footer.loss.sorted(by: { $0.key < $1.key }) {
      lines.append("not understood: \(kind), \(loss.count) times, \(loss.bytes) bytes")
    }
    if writer.linesLost > 0 { lines.append("not written: \(count(writer.linesLost, "line"))") }
    return lines
  }

  private func count(_ n: Int, _ noun: String) -> String { "\(n) \(noun)\(n == 1 ? "" : "s")" }
}
