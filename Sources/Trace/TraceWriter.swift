import Basics
import Glibc
import NIOCore

/// Appends events to a trace file. Lines are whole or absent: a write that fails in the middle is cut back.
///
/// Theory: lines gather in memory and go out in one `write` when 256 KiB are there or the caller says `flush`
/// (at least every second: after `kill -9` all up to the last flush is readable). When the disk is full recording
/// *pauses*: what can't be written is counted, later flushes try again, and the first that succeeds is preceded by a
/// `loss` line of kind `trace.not_written`. The traffic never notices.
///
/// Three kinds of wrong: a path that can't be created throws at `init` (world); a failed write sets `failure`
/// and goes on (world, counted); writing after `close` is our bug.
public final class TraceWriter {
  /// Why writing failed the last time it did (`errno`); stays set when writing recovered.
  public private(set) var failure: Int32?
  /// Lines that could not be written.
  public private(set) var linesLost = 0
  /// Lines of each type written or waiting to be.
  public private(set) var counts: [String: Int] = [:]
  /// Bytes of the file so far, without what waits in memory.
  public private(set) var bytesWritten = 0

  private static let flushSize = 256 << 10
  private let descriptor: Int32
  private var pending = ByteBuffer()
  private var pendingLines = 0
  private var bytesLost = 0
  private var unreportedLines = 0
  private var lastTime: Int64 = 0
  private var isClosed = false

  /// The file could not be created.
  public struct CreationError: Error, Sendable {
    /// The path.
    public var path: String
    /// `errno` of `open`.
    public var errno: Int32
  }

  /// Creates or truncates `path` with mode 0600; `-` is standard output.
  ///
  /// - Throws: `CreationError`.
  public init(path: String) throws(CreationError) {
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
    descriptor = path == "-" ? 1 : unsafe open(path, flags, 0o600)
    guard descriptor >= 0 else { throw CreationError(path: path, errno: errno) }
  }

  deinit { if descriptor > 1, !isClosed { Glibc.close(descriptor) } }

  /// Appends an event; may write what has gathered.
  public func write(_ event: TraceEvent) {
    precondition(!isClosed, "a closed trace takes no more events")
    counts[event.type, default: 0] += 1
    append(event)
    if case .request(let line) = event { lastTime = line.t }
    if pending.readableBytes >= TraceWriter.flushSize { flush() }
  }

  private func append(_ event: TraceEvent) {
    pending.writeImmutableBuffer(event.line.bytes)
    pending.writeInteger(UInt8(ascii: "\n"))
    pendingLines += 1
  }

  /// Writes what has gathered to the file (no fsync).
  public func flush() {
    guard pendingLines > 0 else { return }
    var out = pending
    if unreportedLines > 0 {
      var loss = LossLine(t: lastTime, kind: "trace.not_written", bytes: bytesLost)
      loss.extra = [ExtraMember(key: "lines", value: RawJSON(.int(unreportedLines)))]
      out = TraceEvent.loss(loss).line.bytes
      out.writeInteger(UInt8(ascii: "\n"))
      out.writeImmutableBuffer(pending)
    }
    if writeAll(out) {
      if unreportedLines > 0 { counts["loss", default: 0] += 1 }
      unreportedLines = 0
      bytesLost = 0
    } else {
      linesLost += pendingLines
      unreportedLines += pendingLines
      bytesLost += pending.readableBytes
    }
    pending.clear(minimumCapacity: TraceWriter.flushSize)
    pendingLines = 0
  }

  /// Writes the footer with this file's own counts, flushes and closes. Returns `failure`.
  public func close(footer: FooterLine) -> Int32? {
    var footer = footer
    flush()
    footer.counts = counts
    append(.footer(footer))
    flush()
    isClosed = true
    if descriptor > 1, Glibc.close(descriptor) != 0, failure == nil { failure = errno }
    return failure
  }

  private func writeAll(_ bytes: ByteBuffer) -> Bool {
    var bytes = bytes
    while bytes.readableBytes > 0 {
      let written = unsafe bytes.withUnsafeReadableBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        failure = errno
        // Back to the last whole line; a device that can't be cut holds nothing to cut.
        if ftruncate(descriptor, bytesWritten) == 0 { lseek(descriptor, bytesWritten, SEEK_SET) }
        return false
      }
      bytes.moveReaderIndex(forwardBy: written)
    }
    bytesWritten += bytes.readerIndex
    return true
  }
}
