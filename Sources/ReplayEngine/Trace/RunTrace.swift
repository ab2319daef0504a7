import Basics
import NIOCore
import NIOPosix
public import Trace

/// The trace of a run, written by a thread of its own so that no agent waits for a disk.
public final class RunTrace: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let writer: NIOLoopBoundBox<TraceWriter>
  private let loop: any EventLoop

  /// Creates the file.
  ///
  /// - Throws: `TraceWriter.CreationError`.
  public init(path: String) throws {
    let writer = try TraceWriter(path: path)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    self.loop = loop
    // Handed over before anyone else knows the writer; from here on only the loop touches it.
    self.writer = NIOLoopBoundBox.makeBoxSendingValue(writer, eventLoop: loop)
  }

  /// Writes the header.
  func begin(_ header: HeaderLine) {
    loop.execute { [writer] in
      writer.value.write(.header(header))
      writer.value.flush()
    }
  }

  /// Writes lines in order; they are on their way to the disk when this returns.
  func write(_ events: [TraceEvent]) {
    guard !events.isEmpty else { return }
    loop.execute { [writer] in
      for event in events { writer.value.write(event) }
      writer.value.flush()
    }
  }

  /// Writes the footer and closes the file.
  ///
  /// - Returns: `errno` of the last write that failed.
  public func close(bytes: Int, lost: FooterLine.Loss) async throws -> Int32? {
    let errno = try await loop.submit { [writer] in
      writer.value.close(
        footer: FooterLine(
          counts: [:], bytesIn: bytes, bytesExplained: bytes - lost.bytes,
          loss: lost.count > 0 ? ["http.malformed": lost] : [:]))
    }.get()
    try await group.shutdownGracefully()
    return errno
  }
}
