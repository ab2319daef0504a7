import Basics
import Dispatch
import Dissection
import NIOCore
import Trace

/// A recording that dissects on one thread and writes on another, while its owner reads and reassembles.
///
/// Theory: the seams of the pipeline are values in one order, so each stage may have its own thread and the trace is the same as
/// with one. What waits between two stages is bounded by bytes a batch and batches a queue; a slow disk stops the reader.
/// The owner asks three things, and waits for the answers: whether the trace could be created, the balance at the end (to
/// which it adds its own counters), and how writing went.
final class ThreadedRecording {
  private enum Input: Sendable {
    case events([FlowEvent])
    case line(TraceEvent)
    case flush
    case finish(at: Timestamp)
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
  private let balances = Mailbox<FooterLine>()
  private let outputs = BoundedQueue<Output>(capacity: batchesWaiting)
  private let reports = Mailbox<Report>()
  private let spent = SpentLines()
  private let t0: Timestamp
  /// What the source lost, beside what the dissection did not understand.
  private var lost: [String: FooterLine.Loss] = [:]
  private var batch: [FlowEvent] = []
  private var batchBytes = 0

  /// One sentence on what was recorded, and one for each loss; empty until `finish`.
  private(set) var summary: [String] = []

  /// Creates the trace, writes its header and starts both threads.
  init(
    output: String, source: HeaderLine.Source, t0: Timestamp, options: DissectionOptions,
    inputs files: [String]? = nil
  ) throws(TraceWriter.CreationError) {
    self.t0 = t0
    let created = Mailbox<TraceWriter.CreationError?>()
    let (inputs, balances, outputs, reports) = (inputs, balances, outputs, reports)
    let spent = spent
    DispatchQueue(label: "writing").async {
      do throws(TraceWriter.CreationError) {
        let recording = try TraceRecording(
          output: output, source: source, t0: t0, options: options, inputs: files)
        created.post(nil)
        ThreadedRecording.write(recording, outputs, spent, reports)
      } catch {
        created.post(error)
      }
    }
    if let error = created.take() { throw error }
    DispatchQueue(label: "dissection").async {
      let dissector = Dissector(t0: t0, options: options)
      balances.post(ThreadedRecording.dissect(dissector, inputs, outputs, spent))
    }
  }

  /// Takes the next flow event; waits when the other stages are far behind.
  func append(_ event: FlowEvent) {
    if case .bytes(_, _, let bytes, _) = event { batchBytes += bytes.readableBytes }
    batch.append(event)
    if batch.count >= ThreadedRecording.batchCount || batchBytes >= ThreadedRecording.batchBytes {
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
    handOn()
    inputs.put(.finish(at: at))
    var footer = balances.take()
    footer.loss.merge(lost) { .init(count: $0.count + $1.count, bytes: $0.bytes + $1.bytes) }
    complete(&footer)
    outputs.put(.close(footer))
    let report = reports.take()
    summary = report.summary
    return report.errno
  }

  private func handOn() {
    guard !batch.isEmpty else { return }
    inputs.put(.events(batch))
    batch = []
    batch.reserveCapacity(ThreadedRecording.batchCount)
    batchBytes = 0
  }

  /// The second stage: returns the balance once the input is over and all lines are on their way.
  private static func dissect(
    _ dissector: Dissector, _ inputs: BoundedQueue<Input>, _ outputs: BoundedQueue<Output>,
    _ spent: SpentLines
  ) -> FooterLine {
    while true {
      spent.free()
      let input = inputs.take()
      switch input {
      case .events(let events):
        for event in events { dissector.append(event) }
      case .line(let line): outputs.put(.lines([line]))
      case .flush: break
      case .finish(let at): dissector.finish(at: at)
      }
      let lines = dissector.takeLines()
      if !lines.isEmpty { outputs.put(.lines(lines)) }
      switch input {
      case .events, .line: continue
      case .flush: outputs.put(.flush)
      case .finish: return dissector.footer
      }
    }
  }

  /// The third stage: writes lines until it is told to close.
  private static func write(
    _ recording: TraceRecording, _ outputs: BoundedQueue<Output>, _ spent: SpentLines,
    _ reports: Mailbox<Report>
  ) {
    while true {
      switch outputs.take() {
      case .lines(let lines):
        for line in lines { recording.write(line) }
        spent.add(lines)
      case .flush: recording.flush()
      case .close(let footer):
        let errno = recording.close(footer)
        return reports.post(Report(errno: errno, summary: recording.summary(footer)))
      }
    }
  }
}
