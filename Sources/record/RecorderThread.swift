import Basics
import Dissection
import Proxy
import Trace

/// The one thread that dissects and writes while the proxy forwards.
enum RecorderThread {
  /// What the thread tells the command.
  enum Report: Sendable {
    case opened
    case cannotCreate(path: String, errno: Int32)
    case finished(summary: [String], errno: Int32?)
  }

  /// Drains `handoff` until it is closed. Blocks; reports twice.
  static func run(
    handoff: Handoff, source: HeaderLine.Source, output: TraceOutput, options: DissectionOptions,
    report: (Report) -> Void
  ) {
    let recording: Recording
    do throws(TraceWriter.CreationError) {
      recording = try Recording(
        output: output, source: source, t0: TapClock.shared.now(), options: options)
    } catch {
      return report(.cannotCreate(path: error.path, errno: error.errno))
    }
    recording.flush()
    report(.opened)
    var batch: [FlowEvent] = []
    var flushed = ContinuousClock.now
    while handoff.take(into: &batch, within: .milliseconds(250)) {
      for event in batch { recording.append(event) }
      if ContinuousClock.now - flushed >= TraceRecording.flushInterval {
        recording.flush()
        flushed = .now
      }
    }
    let errno = recording.finish(at: TapClock.shared.now())
    report(.finished(summary: recording.summary, errno: errno))
  }
}
