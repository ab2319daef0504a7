import Basics
import Dispatch
import Dissection
import NIOCore
import Trace

/// A recording that infers sessions and writes on one thread, while its owner reads, reassembles and dissects on another.
///
/// Theory: the seams of the pipeline are values in one order, so each half may have its own thread and the trace is the same as
/// with one. What waits between them is bounded by bytes a batch and batches a queue; a slow disk stops the reader.
/// The owner asks three things, and waits for the answers: whether the trace could be created, what the other half lost in the
/// end (to which it adds its own counters), and how writing went.
final class ThreadedRecording {
  private enum Input: Sendable {
    case steps(ConnectionStage.Steps)
    case loss(LossLine)
    case flush(FooterLine)
    case finish
    case close(FooterLine)
  }

  private struct Report: Sendable {
    var errno: Int32?
    var summary: [String]
  }

  /// A batch is handed on with so many events or payload bytes.
  private static let batchCount = 512
  private static let batchBytes = 256 << 10
  /// Batches that may wait.
  private static let batchesWaiting = 8

  private let inputs = BoundedQueue<Input>(capacity: batchesWaiting)
  private let losses = Mailbox<[String: FooterLine.Loss]>()
  private let reports = Mailbox<Report>()
  private let spent = SpentBatches<ConnectionStage.Steps>()
  private let t0: Timestamp
  private let connections: ConnectionStage
  /// What the source lost, beside what the dissection did not understand.
  private var lost: [String: FooterLine.Loss] = [:]
  /// What was taken since the last batch was handed on.
  private var batchCount = 0
  private var batchBytes = 0

  /// One sentence on what was recorded, and one for each loss; empty until `finish`.
  private(set) var summary: [String] = []

  /// Creates the trace, writes its header and starts the thread.
  init(
    output: TraceOutput, source: HeaderLine.Source, t0: Timestamp, options: DissectionOptions,
    inputs files: [String]? = nil
  ) throws(TraceWriter.CreationError) {
    self.t0 = t0
    connections = ConnectionStage(t0: t0, options: options)
    let created = Mailbox<TraceWriter.CreationError?>()
    let (inputs, losses, reports, spent) = (inputs, losses, reports, spent)
    DispatchQueue(label: "sessions").async {
      do throws(TraceWriter.CreationError) {
        let trace = try TraceRecording(
          output: output, source: source, t0: t0, options: options, inputs: files)
        created.post(nil)
        let sessions = SessionStage(t0: t0, options: options, lines: trace.lines)
        reports.post(ThreadedRecording.write(sessions, trace, inputs, losses, spent))
      } catch {
        created.post(error)
      }
    }
    if let error = created.take() { throw error }
  }

  /// Takes the next flow event; waits when the other half is far behind.
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
    inputs.put(.loss(line))
    // These bytes never were in a stream: the balance of the streams closes without them.
    lost[kind, default: .init(count: 0, bytes: 0)].count += packets ?? 1
  }

  /// Has everything so far written out, soon.
  func flush() {
    handOn()
    var footer = connections.footer
    footer.add(lost)
    inputs.put(.flush(footer))
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
    inputs.put(.close(footer))
    let report = reports.take()
    summary = report.summary
    return report.errno
  }

  private func handOn() {
    batchCount = 0
    batchBytes = 0
    guard connections.hasSteps else { return }
    inputs.put(.steps(connections.takeSteps(reusing: spent.take() ?? .init())))
  }

  /// The other thread: writes what the steps amount to until it is told to close.
  private static func write(
    _ sessions: SessionStage, _ trace: TraceRecording, _ inputs: BoundedQueue<Input>,
    _ losses: Mailbox<[String: FooterLine.Loss]>, _ spent: SpentBatches<ConnectionStage.Steps>
  ) -> Report {
    while true {
      switch inputs.take() {
      case .steps(var steps):
        sessions.append(&steps)
        trace.write()
        spent.add(steps)
      case .loss(let line): trace.lines.append(line)
      case .flush(let footer):
        trace.flush {
          var total = footer
          total.add(sessions.losses)
          return total
        }
      case .finish: losses.post(sessions.losses)
      case .close(let footer):
        let errno = trace.close(footer)
        return Report(errno: errno, summary: trace.summary(footer))
      }
    }
  }
}
