import Basics
import Dissection
import Trace

/// A dissection that writes its trace, on the thread that feeds it.
final class Recording {
  private let trace: TraceRecording
  private let dissector: Dissector

  /// Creates the trace and writes its header.
  init(
    output: TraceOutput, source: HeaderLine.Source, t0: Timestamp, options: DissectionOptions
  ) throws(TraceWriter.CreationError) {
    trace = try TraceRecording(output: output, source: source, t0: t0, options: options)
    dissector = Dissector(t0: t0, options: options, lines: trace.lines)
  }

  /// Takes the next flow event.
  func append(_ event: FlowEvent) {
    dissector.append(event)
    trace.write()
  }

  /// Writes what has gathered to the file; goes on to the next segment when that is due.
  func flush() { trace.flush { dissector.footer } }

  /// Ends what is open, writes the footer and closes. Returns the last `errno` of writing, if any failed.
  func finish(at: Timestamp) -> Int32? {
    dissector.finish(at: at)
    return trace.close(dissector.footer)
  }

  /// One sentence on what was recorded, and one for each loss.
  var summary: [String] { trace.summary(dissector.footer) }
}
