import ArgumentParser
import Basics
import Dissection
import Trace

/// A dissection that writes its trace: what all sources end in.
final class Recording {
  /// Requests, sessions and calls so far, for progress and the closing summary.
  private(set) var sessions: Set<String> = []
  private(set) var calls = 0
  let writer: TraceWriter
  private let t0: Timestamp
  /// What the source lost, beside what the dissection did not understand.
  private var lost: [String: FooterLine.Loss] = [:]
  private let dissector: Dissector

  /// Creates the trace and writes its header.
  init(
    output: String, source: HeaderLine.Source, t0: Timestamp, options: DissectionOptions,
    inputs: [String]? = nil
  ) throws(TraceWriter.CreationError) {
    writer = try TraceWriter(path: output)
    self.t0 = t0
    dissector = Dissector(t0: t0, options: options)
    var header = HeaderLine(recorder: "record \(Record.version)", source: source, t0: t0)
    header.inputs = inputs
    header.redaction = options.redactor?.description ?? .object([.init("mode", .string("off"))])
    header.payloads = options.payloads
    writer.write(.header(header))
  }

  /// Takes the next flow event.
  func append(_ event: FlowEvent) {
    dissector.append(event)
    drain()
  }

  /// Says that the source lost something: packets, where it knows how many.
  func lose(_ kind: String, packets: Int? = nil, at: Timestamp) {
    var line = LossLine(t: at - t0, kind: kind)
    line.packets = packets
    writer.write(.loss(line))
    // These bytes never were in a stream: the balance of the streams closes without them.
    lost[kind, default: .init(count: 0, bytes: 0)].count += packets ?? 1
  }

  /// Ends what is open, writes the footer and closes. Returns the last `errno` of writing, if any failed.
  func finish(at: Timestamp, complete: (inout FooterLine) -> Void = { _ in }) -> Int32? {
    dissector.finish(at: at)
    drain()
    var footer = self.footer
    complete(&footer)
    return writer.close(footer: footer)
  }

  private var footer: FooterLine {
    var footer = dissector.footer
    footer.loss.merge(lost) { .init(count: $0.count + $1.count, bytes: $0.bytes + $1.bytes) }
    return footer
  }

  /// One sentence on what was recorded, and one for each loss.
  var summary: [String] {
    let footer = self.footer
    let requests = writer.counts["request"] ?? 0
    var lines = [
      "recorded \(count(sessions.count, "session")), \(count(requests, "request")), "
        + "\(count(calls, "tool call")); \(footer.bytesExplained) of \(footer.bytesIn) stream bytes explained"
    ]
    for (kind, loss) in footer.loss.sorted(by: { $0.key < $1.key }) {
      lines.append("not understood: \(kind), \(loss.count) times, \(loss.bytes) bytes")
    }
    if writer.linesLost > 0 { lines.append("not written: \(count(writer.linesLost, "line"))") }
    return lines
  }

  private func count(_ n: Int, _ noun: String) -> String { "\(n) \(noun)\(n == 1 ? "" : "s")" }

  private func drain() {
    while let event = dissector.next() {
      switch event {
      case .session(let line): sessions.insert(line.session)
      case .request(let line): if line.isLogicalCall { calls += 1 }
      default: break
      }
      writer.write(event)
    }
  }
}
