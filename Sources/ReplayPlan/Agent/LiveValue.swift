import Basics
import NIOCore

/// A place in a request where a value of an earlier answer goes, or one of the clone's row of a feed.
struct LiveValue: Sendable {
  /// Its number in the script, or its column in the feed.
  var number: Int
  /// What stood there in the recording.
  var recorded: RawJSON
  /// True inside a longer text: the value's text goes there, without quotes.
  var isPart: Bool
  /// How many JSON strings it is inside of, one in the other.
  var depth = 0
  /// True when the feed gives it.
  var isOfFeed = false
  /// True when its JSON type is not to be made that of the recorded value.
  var keepsType = false

  /// Returns what goes there, the recorded value without a live one.
  func bytes(_ live: RawJSON?) -> ByteBuffer {
    let value = live ?? recorded
    var bytes =
      isPart
      ? value.string.map { ByteBuffer(string: $0) } ?? value.bytes
      : keepsType ? value.bytes : LiveValue.fitted(value, to: recorded).bytes
    for _ in 0..<depth { bytes = LiveValue.quoted(bytes) }
    return bytes
  }

  /// The live value as it is, but for one thing: agents copy values between strings and numbers (an id read in a text goes
  /// into a number, a number into a string), and schemas are strict. Where both sides allow it, the recorded type stays.
  private static func fitted(_ live: RawJSON, to recorded: RawJSON) -> RawJSON {
    guard live.kind != recorded.kind else { return live }
    if let text = live.string, let plain = RawJSON(validating: ByteBuffer(string: text)),
      plain.kind == recorded.kind, plain.kind == .number || plain.kind == .bool
    {
      return plain
    }
    if live.kind == .number || live.kind == .bool, let text = recorded.string,
      RawJSON(validating: ByteBuffer(string: text))?.kind == live.kind
    {
      return RawJSON(.string(live.text))
    }
    return live
  }

  /// Text as it stands inside a JSON string.
  static func quoted(_ text: ByteBuffer) -> ByteBuffer {
    let string = RawJSON(.string(String(buffer: text))).bytes
    return string.getSlice(at: string.readerIndex + 1, length: string.readableBytes - 2)
      ?? ByteBuffer()
  }
}
