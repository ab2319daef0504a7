import Basics
import Dissection
import Glibc
import Trace

/// A trace being written, in segments where its output says so, and what the closing summary says of it: what all sources
/// end in.
///
/// Theory: a segment ends at a flush, behind whole lines. The next one is written under a name of its own up to where its
/// reader knows all that is open; only then does the old one get its number as a second name, the next one the recording's name
/// in its place, and is the old one closed. So each name holds a whole file at any time, no file is written over, and when a step
/// fails the old segment simply goes on. A file that was moved away meanwhile stays where it was moved to.
///
/// While nothing can be written the recording pauses, and every flush tries again. What was lost may have announced
/// sessions and connections; when the recording goes on, those that are open are told again.
final class TraceRecording {
  /// After `kill -9` all up to the last flush is readable; the contract says at least every second.
  static let flushInterval = Duration.milliseconds(500)

  /// The lines that are to be written next.
  let lines: TraceLines
  private var writer: TraceWriter
  private let output: TraceOutput
  private var header: HeaderLine

  private let names: SegmentNames
  private var shelf: SegmentShelf
  private var balance = SegmentBalance()
  private var began = ContinuousClock.now
  /// Bytes that every segment begins with.
  private var repeated = 0
  /// What the segments so far amount to.
  private var counts: [String: Int] = [:]
  private var linesLost = 0
  private var failure: Int32?

  /// Whether it was said that the recording pauses, and that there is no next segment.
  private var isPaused = false
  /// Lines lost of the segment before what is open was told again.
  private var retold = 0
  private var isPostponed = false
  private var swept = ContinuousClock.now
  /// Segments are looked for that are too old.
  private static let sweepInterval = Duration.seconds(60)

  /// Creates the trace and writes its header.
  init(
    output: TraceOutput, source: HeaderLine.Source, t0: Timestamp, options: DissectionOptions,
    inputs: [String]? = nil
  ) throws(TraceWriter.CreationError) {
    self.output = output
    names = SegmentNames(output.path)
    shelf = SegmentShelf(names)
    lines = TraceLines(.text, keepsOpen: source != .pcap)
    header = HeaderLine(recorder: "record \(Record.version)", source: source, t0: t0)
    header.inputs = inputs
    header.redaction = options.redaction
    header.payloads = options.payloads
    if output.rotation != nil {
      header.segment = 1
      try shelf.closeOld()
    }
    writer = try TraceWriter(path: output.path, level: output.level)
    if output.rotation != nil, !writer.isRegularFile {
      throw TraceWriter.CreationError(path: output.path, errno: EINVAL)
    }
    if output.rotation != nil, !writer.lock() {
      throw TraceWriter.CreationError(path: output.path, errno: EBUSY)
    }
    writer.write(.header(header))
    // Nothing behind a header that is missing could be read.
    writer.flush()
    if let errno = writer.failure {
      throw TraceWriter.CreationError(path: output.path, errno: errno)
    }
    repeated = writer.bytesWritten
  }

  /// Writes what has gathered to the file, when it is much.
  func write() {
    if lines.byteCount >= TraceWriter.flushSize { writer.write(lines) }
  }

  /// Writes what has gathered to the file, and goes on to the next segment when that is due; `total` is the balance so far.
  func flush(at now: ContinuousClock.Instant = .now, total: () -> FooterLine) {
    writer.write(lines)
    writer.flush()
    report()
    if isDue(now) { rotate(total(), now) }
    if now - swept >= TraceRecording.sweepInterval { sweep(now) }
  }

  /// Writes the footer and closes. Returns the last `errno` of writing, if any failed.
  func close(_ footer: FooterLine) -> Int32? {
    writer.write(lines)
    let wasAtItsName = writer.isAt(names.open)
    close(writer, balance.rest(footer))
    guard output.rotation != nil else { return failure }
    if wasAtItsName, let errno = shelf.closeOpen() { failure = errno }
    sweep(.now)
    return failure
  }

  /// One sentence on what was recorded, and one for each loss.
  func summary(_ footer: FooterLine) -> [String] {
    // Every session has one end.
    let (sessions, requests) = (counts["end"] ?? 0, counts["request"] ?? 0)
    var lines = [
      "recorded \(count(sessions, "session")), \(count(requests, "request")), "
        + "\(count(lines.logicalCalls, "tool call")); \(footer.bytesExplained) of \(footer.bytesIn) stream bytes explained"
    ]
    if let segments = header.segment { lines.append("written in \(count(segments, "segment"))") }
    for (kind, loss) in footer.loss.sorted(by: { $0.key < $1.key }) {
      lines.append("not understood: \(kind), \(loss.count) times, \(loss.bytes) bytes")
    }
    if linesLost > 0 { lines.append("not written: \(count(linesLost, "line"))") }
    return lines
  }

  private func count(_ n: Int, _ noun: String) -> String { "\(n) \(noun)\(n == 1 ? "" : "s")" }

  // MARK: Trouble

  /// Says when the recording begins to pause and when it goes on.
  private func report() {
    if writer.isPaused {
      guard !isPaused else { return }
      isPaused = true
      say(
        "record: cannot write \(output.path): \(words(writer.failure ?? EIO)); recording pauses until that is possible, "
          + "traffic goes on")
    } else if writer.linesLost > retold {
      say(
        "record: \(output.path) can be written again and recording goes on; \(count(writer.linesLost - retold, "line")) are missing"
      )
      isPaused = false
      retold = writer.linesLost
      for event in lines.open { writer.write(event) }
      writer.flush()
    }
  }

  // MARK: Segments

  private func isDue(_ now: ContinuousClock.Instant) -> Bool {
    // What is missing is told in the segment in which it would have been.
    guard let rotation = output.rotation, !writer.isPaused else { return false }
    let news = writer.bytesWritten - repeated
    guard news > 0 else { return false }
    return rotation.size.map { news >= $0 } ?? false
      || rotation.every.map { now - began >= $0 } ?? false
  }

  private func rotate(_ total: FooterLine, _ now: ContinuousClock.Instant) {
    guard let next = opened() else { return }
    if let errno = shelf.moveUp(behind: writer) {
      _ = unsafe unlink(names.next)
      return postpone(errno)
    }
    isPostponed = false
    close(writer, balance.next(total))
    header.segment = header.segment.map { $0 + 1 }
    (writer, began, repeated, retold) = (next, now, next.bytesWritten, 0)
    sweep(now)
  }

  /// Removes what is no longer kept.
  private func sweep(_ now: ContinuousClock.Instant) {
    swept = now
    if let errno = output.retention.apply(to: names) {
      say(
        "record: cannot remove an old segment of \(output.path): \(words(errno)); it is tried again"
      )
    }
  }

  private func postpone(_ errno: Int32) {
    guard !isPostponed else { return }
    isPostponed = true
    say(
      "record: cannot begin the next segment \(names.next): \(words(errno)); \(output.path) goes on until that is possible"
    )
  }

  /// Begins the next segment with what is open; `nil` when there is no room for it now.
  private func opened() -> TraceWriter? {
    // What a process that was killed left there.
    _ = unsafe unlink(names.next)
    do throws(TraceWriter.CreationError) {
      let next = try TraceWriter(path: names.next, level: output.level)
      var header = header
      header.segment = header.segment.map { $0 + 1 }
      next.write(.header(header))
      for event in lines.open { next.write(event) }
      next.flush()
      let isLocked = next.lock()
      guard let failure = next.failure ?? (isLocked ? nil : EBUSY) else { return next }
      _ = unsafe unlink(names.next)
      postpone(failure)
    } catch {
      postpone(error.errno)
    }
    return nil
  }

  private func close(_ writer: TraceWriter, _ footer: FooterLine) {
    failure = writer.close(footer: footer) ?? failure
    counts.merge(writer.counts, uniquingKeysWith: +)
    linesLost += writer.linesLost
  }
}
