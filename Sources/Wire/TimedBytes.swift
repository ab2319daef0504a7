public import Basics
public import NIOCore

/// The unread bytes of one direction, each with the capture time of the chunk that brought it.
///
/// Bytes that were consumed before the next append cost no copy; what is left over is joined with it.
public struct TimedBytes: Sendable {
  private var buffer = ByteBuffer()
  /// True while `buffer` is the last chunk itself.
  private var isBorrowed = false
  /// End offset of each chunk, relative to `consumed`'s origin, with its time; the last one is the end of `buffer`.
  private var marks: [(end: Int, at: Timestamp)] = []
  private var firstMark = 0
  private var consumed = 0
  private var chunkStart = 0
  private var latestTaken = Timestamp(nanoseconds: 0)
  private var total = 0

  /// Creates an empty queue.
  public init() {}

  /// Unread bytes.
  public var count: Int { buffer.readableBytes }
  /// Bytes taken out since the beginning.
  public var offset: Int { consumed }
  /// The unread bytes. Don't keep it.
  public var bytes: ByteBuffer { buffer }
  /// The unread bytes, to be looked at.
  public var span: Span<UInt8> {
    @_lifetime(borrow self) borrowing get { buffer.readableSpan }
  }

  /// Appends a chunk.
  public mutating func append(_ chunk: ByteBuffer, at: Timestamp) {
    guard chunk.readableBytes > 0 else { return }
    if buffer.readableBytes == 0 {
      buffer = chunk
      isBorrowed = true
      chunkStart = total
    } else {
      if buffer.readerIndex > 0 {
        // What was read must not travel along for ever.
        var rest = ByteBufferAllocator().buffer(
          capacity: buffer.readableBytes + chunk.readableBytes)
        rest.writeImmutableBuffer(buffer)
        buffer = rest
      }
      buffer.writeImmutableBuffer(chunk)
      isBorrowed = false
    }
    total += chunk.readableBytes
    marks.append((total, at))
  }

  /// Copies the unread bytes when they are still those of a chunk, so that what waits does not keep a much larger buffer;
  /// where none are left, lets go of it.
  public mutating func own() {
    guard isBorrowed else { return }
    buffer = buffer.readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: buffer.readableBytesView)
    isBorrowed = false
  }

  /// Capture time of the next byte; of the last one seen when none is left.
  public var time: Timestamp {
    firstMark < marks.count ? marks[firstMark].at : latestTaken
  }

  /// True when the next byte is its chunk's first.
  public var isAtChunkStart: Bool { firstMark < marks.count && consumed == chunkStart }

  /// Bytes that are left of the next byte's chunk.
  public var chunkCount: Int { firstMark < marks.count ? marks[firstMark].end - consumed : 0 }

  /// Takes `count` bytes, or what is there; `at` is the latest capture time among them.
  public mutating func take(_ count: Int) -> (bytes: ByteBuffer, at: Timestamp) {
    let slice = buffer.readSlice(length: min(count, buffer.readableBytes)) ?? ByteBuffer()
    return (slice, pass(slice.readableBytes))
  }

  /// The same for who has looked at the bytes: returns the time alone.
  public mutating func skip(_ count: Int) -> Timestamp {
    let count = min(count, buffer.readableBytes)
    buffer.moveReaderIndex(forwardBy: count)
    return pass(count)
  }

  /// Notes that so many bytes were read; returns the latest capture time among them.
  private mutating func pass(_ count: Int) -> Timestamp {
    var latest = time
    consumed += count
    while firstMark < marks.count {
      latest = max(latest, marks[firstMark].at)
      guard marks[firstMark].end <= consumed else { break }
      chunkStart = marks[firstMark].end
      firstMark += 1
      if chunkStart == consumed { break }
    }
    if firstMark >= 64 {
      marks.removeFirst(firstMark)
      firstMark = 0
    }
    latestTaken = latest
    return latest
  }
}
