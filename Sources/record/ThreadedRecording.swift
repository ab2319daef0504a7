import Basics
import Dispatch
import Dissection
import NIOCore
import Trace

/// A recording that infers sessions on one thread and writes on another, while its owner reads, reassembles and dissects.
///
/// Theory: the seams of the pipeline are values in one order, so each stage may have its own thread and the trace is the same as
/// with one. What waits between two stages is bounded by bytes a batch and batches a queue; a slow disk stops the reader.
/// The owner asks three things, and waits for the answers: whether the trace could be created, the balance at the end (to
/// which it adds its own counters), and how writing went.
final class ThreadedRecording {
  private enum Input: Sendable {
    case steps(ConnectionStage.Steps)
    case line(TraceEvent)
    case flush
    case finish
  }

  private enum Output: Sendable {
    case lines([TraceEvent])
    case flush
    case close(FooterLine)
  }

  private struct Report: Sendable {
    var errno: Int32?
    var summary: [String]
  }

  /// A batch is handed on with so many events or payload bytes.
  private static let batchCount = 512
  private static let batchBytes = 256 << 10
  /// Batches that may wait between two stages.
  private static let batchesWaiting = 8

  private let inputs = BoundedQueue<Input>(capacity: batchesWaiting)
  private let losses = Mailbox<[String: FooterLine.Loss]>()
  private let outputs = BoundedQueue<Output>(capacity: batchesWaiting)
  private let reports = Mailbox<Report>()
  private let spentSteps = SpentBatches<ConnectionStage.Steps>()
  private let t0: Timestamp
  private let connections: ConnectionStage
  /// What the source lost, beside what the dissection did not understand.
  private var lost: [String: FooterLine.Loss] = [:]
  /// What was taken since the last batch was handed on.
  private var batchCount = 0
  private var batchBytes = 0

  /// One sentence on what was recorded, and one for each loss; empty until `finish`.
  private(set) var summary: [String] = []

  /// Creates the trace, writes its header and starts both threads.
  init(
    output: String, source: HeaderLine.Source, t0: Timestamp, options: DissectionOptions,
    inputs files: [String]? = nil
  ) throws(TraceWriter.CreationError) {
    self.t0 = t0
    connections = ConnectionStage(t0: t0, options: options)
    let created = Mailbox<TraceWriter.CreationError?>()
    let (inputs, losses, outputs, reports) = (inputs, losses, outputs, reports)
    let spentSteps = spentSteps
    let spentLines = SpentBatches<[TraceEvent]>()
    DispatchQueue(label: "writing").async {
      do throws(TraceWriter.CreationError) {
        let recording = try TraceRecording(
          output: output, source: source, t0: t0, options: options, inputs: files)
        created.post(nil)
        ThreadedRecording.write(recording, outputs, spentLines, reports)
      } catch {
        created.post(error)
      }
    }
    if let error = created.take() { throw error }
    DispatchQueue(label: "sessions").async {
      let sessions = SessionStage(t0: t0, options: options)
      losses.post(
        ThreadedRecording.infer(sessions, inputs, outputs, spentSteps, spentLines))
    }
  }

  /// Takes the next flow event; waits when the other stages are far behind.
  func append(_ event: FlowEvent) {
    if case .bytes(_, _, let bytes, _) = event { batchBytes += bytes.readableBytes }
    batchCount += 1
    connections.append(event)
    if batchCount >= ThreadedRecording.batchCount || batchBytes >= ThreadedRecording.batchBytes {
      handOn()
    }
  }

  /// Says that the source lost something: packets, where it knows how many.
  func lose(_ kind: String, packets: Int?, at: Timestamp) {
    var line = LossLine(t: at - t0, kind: kind)
    line.packets = packets
    handOn()
    inputs.put(.line(.loss(line)))
    // These bytes never were in a stream: the balance of the streams closes without them.
    lost[kind, default: .init(count: 0, bytes: 0)].count += packets ?? 1
  }

  /// Has everything so far dissected and written out, soon.
  func flush() {
    handOn()
    inputs.put(.flush)
  }

  /// Ends what is open, writes the footer and closes. Returns the last `errno` of writing, if any failed.
  func finish(at: Timestamp, complete: (inout FooterLine) -> Void) -> Int32? {
    connections.finish(at: at)
    handOn()
    inputs.put(.finish)
    var footer = connections.footer
    footer.add(losses.take())
    footer.add(lost)
    complete(&footer)
    outputs.put(.close(footer))
    let report = reports.take()
    summary = report.summary
    return report.errno
  }

  private func handOn() {
    batchCount = 0
    batchBytes = 0
    let steps = connections.takeSteps()
    if !steps.isEmpty { inputs.put(.steps(steps)) }
    spentSteps.free()
  }

  /// The second stage: returns what it lost once the input is over and all lines are on their way.
  private static func infer(
    _ sessions: SessionStage, _ inputs: BoundedQueue<Input>, _ outputs: BoundedQueue<Output>,
    _ spentSteps: SpentBatches<ConnectionStage.Steps>, _ spentLines: SpentBatches<[TraceEvent]>
  ) -> [String: FooterLine.Loss] {
    while true {
      spentLines.free()
      switch inputs.take() {
      case .steps(let steps):
        sessions.append(steps)
        spentSteps.add(steps)
        let lines = sessions.takeLines()
        if !lines.isEmpty { outputs.put(.lines(lines)) }
      case .line(let line): outputs.put(.lines([line]))
      case .flush: outputs.put(.flush)
      case .finish: return sessions.losses
      }
    }
  }

  /// The third stage: writes lines until it is told to close.
  private static func write(
    _ recording: TraceRecording, _ outputs: BoundedQueue<Output>,
    _ spentLines: SpentBatches<[TraceEvent]>,
    _ reports: Mailbox<Report>
  ) {
    while true {
      switch outputs.take() {
      case .lines(let lines):
        for line in lines { recording.write(line) }
        spentLines.add(lines)
      case .flush: recording.flush()
      case .close(let footer):
        let errno = recording.close(footer)
        return reports.post(Report(errno: errno, summary: recording.summary(footer)))
      }
    }
  }
}
