import Basics
import NIOCore
import NIOPosix
public import Redaction
public import Trace

/// The trace of a run, written by a thread of its own so that no agent waits for a disk.
public final class RunTrace: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let output: NIOLoopBoundBox<Output>
  private let loop: any EventLoop

  private struct Output {
    var writer: TraceWriter
    /// Hides in this run's payloads what the recording hid.
    var redactor: TraceRedactor
    var isFlushDue = false
  }

  /// After `kill -9` all up to the last flush is readable; the contract says at least every second.
  private static let flushInterval = TimeAmount.milliseconds(500)

  /// Creates the file, compressed with `level` when its name ends in `.zst`. Its payloads are shown no more fully than the recording's; credentials in `_meta` never are.
  ///
  /// - Throws: `TraceWriter.CreationError`.
  public init(
    path: String, level: Int = TraceWriter.defaultLevel, hiding rules: [RedactionRule] = [],
    payloads: HeaderLine.Payloads = .full
  ) throws {
    let output = Output(
      writer: try TraceWriter(path: path, level: level),
      redactor: TraceRedactor(key: .random(), rules: rules, payloads: payloads))
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    self.loop = loop
    // Handed over before anyone else knows it; from here on only the loop touches it.
    self.output = NIOLoopBoundBox.makeBoxSendingValue(output, eventLoop: loop)
  }

  /// Writes the header.
  func begin(_ header: HeaderLine) {
    loop.execute { [output] in
      output.value.writer.write(output.value.redactor.redacted(.header(header)))
      output.value.writer.flush()
    }
  }

  /// Writes lines in order; they are on their way to the disk within `flushInterval`.
  func write(_ events: [TraceEvent]) {
    guard !events.isEmpty else { return }
    loop.execute { [output, loop] in
      for event in events {
        output.value.writer.write(output.value.redactor.redacted(event))
      }
      guard !output.value.isFlushDue else { return }
      output.value.isFlushDue = true
      loop.scheduleTask(in: RunTrace.flushInterval) {
        output.value.isFlushDue = false
        output.value.writer.flush()
      }
    }
  }

  /// Writes the footer and closes the file.
  ///
  /// - Returns: `errno` of the last write that failed.
  public func close(bytes: Int, lost: FooterLine.Loss) async throws -> Int32? {
    let errno = try await loop.submit { [output] in
      output.value.writer.close(
        footer: FooterLine(
          counts: [:], bytesIn: bytes, bytesExplained: bytes - lost.bytes,
          loss: lost.count > 0 ? ["http.malformed": lost] : [:]))
    }.get()
    try await group.shutdownGracefully()
    return errno
  }
}
