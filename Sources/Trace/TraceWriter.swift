import Basics
import Glibc
import NIOCore

/// Appends events to a trace file. Lines are whole or absent: a write that fails in the middle is cut back.
///
/// Theory: lines gather in memory and go out in one `write` when 256 KiB are there or the caller says `flush`
/// (at least every second: after `kill -9` all up to the last flush is readable). When the disk is full recording
/// *pauses*: what can't be written is counted, later flushes try again, and the first that succeeds begins with a `loss`
/// line of kind `trace.not_written`: how much is missing, from `t` (the latest that was written before) to `until`. What can't be cut back (a pipe) gets a line end first, so that one broken
/// line stays one. A path that ends in `.zst` gets one complete zstd frame with a checksum for each such `write`; when a
/// part of a frame went where it can't be cut back, nothing behind it could be read, and nothing more is written. The traffic never notices; the caller ignores SIGPIPE and SIGXFSZ, which would end the process.
///
/// Three kinds of wrong: a path that can't be created throws at `init` (world); a failed write sets `failure`
/// and goes on (world, counted); writing after `close` is our bug.
public final class TraceWriter {
  /// Why writing failed the last time it did (`errno`); stays set when writing recovered.
  public private(set) var failure: Int32?
  /// Lines that could not be written.
  public private(set) var linesLost = 0
  /// True from a write that failed to the next that did not.
  public var isPaused: Bool { unreported.lines > 0 }
  /// Lines of each type written or waiting to be, without those lost.
  public var counts: [String: Int] { lines.byType }
  /// Bytes of the file so far, without what waits in memory.
  public private(set) var bytesWritten = 0

  /// Name of the loss that stands for lines which could not be written.
  public static let notWritten = "trace.not_written"

  /// So many bytes are written at once.
  public static let flushSize = 256 << 10
  /// Levels of compression, from fast to small; beyond them readers need windows larger than 8 MiB.
  public static let levels = 1...19
  /// The level where none is said: zstd's own.
  public static let defaultLevel = 3
  /// What a burst of long lines took beyond this is given back.
  static let memoryKept = 4 << 20

  private let descriptor: Int32
  /// Compresses what is written, where the path says so.
  private var frames: ZstdFrameMaker?
  private var pending = JSONWriter(capacity: 2 * flushSize)
  private var pendingLines = 0
  private var pendingCounts = LineCounts()
  private var lines = LineCounts()
  /// What was lost since the last `loss` line.
  private var unreported = (lines: 0, bytes: 0)
  private var isBroken = false
  /// The latest time that lines told so far, of those that were written, and of those that were lost.
  private var lastTime: Int64 = 0
  private var writtenTime: Int64 = 0
  private var lostTime: Int64 = 0
  private var isClosed = false

  /// The file could not be created.
  public struct CreationError: Error, Sendable {
    /// The path.
    public var path: String
    /// `errno` of what failed.
    public var errno: Int32

    /// Describes the failure.
    public init(path: String, errno: Int32) {
      self.path = path
      self.errno = errno
    }
  }

  /// Creates or truncates `path` with mode 0600; `-` is standard output.
  ///
  /// - Parameter level: One of `levels`, for a path that ends in `.zst`: that is compressed.
  /// - Throws: `CreationError`.
  public init(path: String, level: Int = defaultLevel) throws(CreationError) {
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
    descriptor = path == "-" ? 1 : unsafe open(path, flags, 0o600)
    guard descriptor >= 0 else { throw CreationError(path: path, errno: errno) }
    if path.hasSuffix(".zst") { frames = ZstdFrameMaker(level: level) }
  }

  /// Writes to an open descriptor from where it stands, and closes it in the end unless it is a standard one.
  ///
  /// - Parameter level: One of `levels` to compress what is written.
  public init(descriptor: Int32, level: Int? = nil) {
    self.descriptor = descriptor
    frames = level.map { ZstdFrameMaker(level: $0) }
  }

  /// Whether `path` is the file that is written: somebody may have moved it, or put another one there.
  public func isAt(_ path: String) -> Bool {
    var there = stat()
    // Fills in the structure it is given.
    guard let own = facts, unsafe stat(path, &there) == 0 else { return false }
    return own.st_dev == there.st_dev && own.st_ino == there.st_ino
  }

  /// Whether it is a file that can have another name, and not a device or pipe.
  public var isRegularFile: Bool { facts.map { $0.st_mode & S_IFMT == S_IFREG } ?? false }

  /// Marks the file as one that is being written, until it is closed; false when another process did that before.
  public func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }

  private var facts: stat? {
    var facts = stat()
    // Fills in the structure it is given.
    return unsafe fstat(descriptor, &facts) == 0 ? facts : nil
  }

  deinit { if descriptor > 2, !isClosed { Glibc.close(descriptor) } }

  /// Appends an event; may write what has gathered.
  public func write(_ event: TraceEvent) {
    precondition(!isClosed, "a closed trace takes no more events")
    append(event)
    if case .request(let line) = event { lastTime = max(lastTime, line.t) }
    if pending.bytes.count >= TraceWriter.flushSize { flush() }
  }

  /// Takes all lines that wait in `made`, which are text; may write what has gathered. O(1) when nothing has.
  public func write(_ made: TraceLines) {
    precondition(!isClosed && made.isText, "text, for a trace that is not closed")
    guard made.count > 0 else { return }
    if pendingLines == 0 {
      swap(&pending, &made.text)
    } else {
      pending.append(made.text.bytes)
    }
    pendingLines += made.count
    pendingCounts.add(made.counts)
    lines.add(made.counts)
    lastTime = max(lastTime, made.latest ?? lastTime)
    made.removeAll()
    if pending.bytes.count >= TraceWriter.flushSize { flush() }
  }

  private func append(_ event: TraceEvent) {
    event.write(to: &pending)
    pending.endLine()
    pendingLines += 1
    pendingCounts.add(event)
    lines.add(event)
  }

  /// Writes what has gathered to the file (no fsync), and tells of earlier losses as soon as that is possible.
  ///
  /// Does nothing once it is closed.
  public func flush() {
    guard !isClosed else { return }
    if unreported.lines > 0 { return resume() }
    guard pendingLines > 0 else { return }
    guard writeAll(pending.bytes) else { return dropPending() }
    clearPending()
  }

  /// Writes what has gathered behind a line that says what is missing; both or neither, so that a full disk does not fill up with
  /// such lines.
  private func resume() {
    var loss = LossLine(t: writtenTime, kind: TraceWriter.notWritten, bytes: unreported.bytes)
    loss.extra = [
      ExtraMember(key: "lines", value: RawJSON(.int(unreported.lines))),
      ExtraMember(key: "until", value: RawJSON(.int(Int(lostTime)))),
    ]
    let event = TraceEvent.loss(loss)
    var text = JSONWriter()
    event.write(to: &text)
    text.endLine()
    text.append(pending.bytes)
    guard writeAll(text.bytes) else { return dropPending() }
    lines.add(event)
    unreported = (0, 0)
    clearPending()
  }

  private func dropPending() {
    lostTime = lastTime
    linesLost += pendingLines
    unreported.lines += pendingLines
    unreported.bytes += pending.bytes.count
    lines.subtract(pendingCounts)
    clearPending()
  }

  private func clearPending() {
    if unreported.lines == 0 { writtenTime = lastTime }
    pending.removeAll(keepingAtMost: TraceWriter.memoryKept)
    pendingLines = 0
    pendingCounts.removeAll()
  }

  /// Writes the footer with this file's own counts, flushes and closes. Returns `failure`.
  ///
  /// Lines that were lost are a loss counter of their own, without bytes: those of the streams are explained.
  public func close(footer: FooterLine) -> Int32? {
    flush()
    var footer = footer
    footer.counts = counts
    if linesLost > 0 {
      footer.loss["trace.not_written"] = FooterLine.Loss(count: linesLost, bytes: 0)
    }
    append(.footer(footer))
    flush()
    isClosed = true
    if descriptor > 2, Glibc.close(descriptor) != 0, failure == nil { failure = errno }
    return failure
  }

  private func writeAll(_ lines: borrowing OutputBytes) -> Bool {
    unsafe lines.withUnsafeBytes { text in
      guard let frames else { return unsafe writeWhole(text) }
      guard !isBroken else { return false }
      guard unsafe frames.make(text) else {
        failure = ENOMEM
        return false
      }
      return unsafe frames.frame.withUnsafeReadableBytes { unsafe writeWhole($0) }
    }
  }

  /// Writes all of the bytes, or none where they can be cut back.
  private func writeWhole(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if isBroken {
      let end: [UInt8] = [0x0a]
      guard unsafe end.withUnsafeBytes({ unsafe writeSome($0) }) != nil else { return false }
      bytesWritten += 1
      isBroken = false
    }
    var done = 0
    while done < bytes.count {
      guard let count = unsafe writeSome(UnsafeRawBufferPointer(rebasing: bytes[done...])) else {
        cutBack(done)
        return false
      }
      done += count
    }
    bytesWritten += bytes.count
    return true
  }

  /// Writes as much as goes and returns how much that was; `nil` when nothing does.
  private func writeSome(_ bytes: UnsafeRawBufferPointer) -> Int? {
    while true {
      let written = unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      if written > 0 { return written }
      if written < 0, errno == EINTR { continue }
      failure = written < 0 ? errno : EIO
      return nil
    }
  }

  /// Removes the last `count` bytes, relative to where the descriptor stands: it may not own the whole file.
  private func cutBack(_ count: Int) {
    guard count > 0 else { return }
    let end = lseek(descriptor, 0, SEEK_CUR)
    let start = end - count
    guard end >= 0, start >= 0, ftruncate(descriptor, start) == 0,
      lseek(descriptor, start, SEEK_SET) == start
    else {
      isBroken = true
      bytesWritten += count
      return
    }
  }
}
