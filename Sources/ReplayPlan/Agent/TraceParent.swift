import Basics
import NIOCore

/// A place for trace context (W3C Trace Context, `traceparent`): the server's spans join those of the clone that caused them.
///
/// What shared a trace in the recording shares one within a clone; other clones, and other runs, have others. Every request has a
/// span of its own.
struct TraceParent: Hashable, Sendable {
  /// The recorded trace and span, and what was said of them.
  private let trace: UInt64
  private let span: UInt64
  private let flags: String
  /// True inside JSON.
  let isQuoted: Bool

  /// Reads a recorded one; `nil` for what is none of version 00.
  init?(_ text: String, isQuoted: Bool) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "00", parts[1].utf8.count == 32, parts[3].utf8.count == 2,
      let high = UInt64(parts[1].prefix(16), radix: 16),
      let low = UInt64(parts[1].suffix(16), radix: 16), parts[2].utf8.count == 16,
      let span = UInt64(parts[2], radix: 16), UInt8(parts[3], radix: 16) != nil
    else { return nil }
    trace = SplitMix64.seed(high, low)
    self.span = span
    flags = String(parts[3])
    self.isQuoted = isQuoted
  }

  /// Returns what a clone says in a request.
  func bytes(_ context: TraceContext) -> ByteBuffer {
    // An id of nothing but zeros is none.
    let text =
      "00-" + TraceParent.hex(SplitMix64.seed(context.seed, trace, 1) | 1)
      + TraceParent.hex(SplitMix64.seed(context.seed, trace, 2)) + "-"
      + TraceParent.hex(SplitMix64.seed(context.seed, span, 3, UInt64(context.request)) | 1) + "-"
      + flags
    return ByteBuffer(string: isQuoted ? "\"\(text)\"" : text)
  }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}

/// What tells a clone's traces and spans from all others.
struct TraceContext: Hashable, Sendable {
  var seed: UInt64 = 0
  /// Number of the request among those of the clone.
  var request = 0
}
