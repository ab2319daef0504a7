internal import CZlib
public import NIOCore

/// Removes a gzip or deflate content coding (RFC 9110 §8.4.1), incrementally.
///
/// Theory: every call gives what can be inflated so far, so that events of a compressed stream keep their times. gzip may
/// have several members (RFC 1952 §2.2). "deflate" is zlib (RFC 1950) or raw (RFC 1951): the first is tried first. A label
/// may lie: input is held until something came out, and handed back as it is when nothing can.
///
/// Three kinds of wrong: a body that breaks in the middle, or grows beyond the limit, `failed` (what came before stays);
/// a body that ends early is not `finished`; bytes behind its end are ignored. All that was not inflated is `undecoded`.
@safe
public final class InflateDecoder {
  /// Which coding a `Content-Encoding` names.
  public enum Coding: String, Sendable {
    /// RFC 1952.
    case gzip
    /// RFC 1950, or 1951 as some servers send it.
    case deflate

    /// Reads one coding of a `Content-Encoding` value; `nil` when it is another.
    public init?(name: String) {
      switch name.lowercased() {
      case "gzip", "x-gzip": self = .gzip
      case "deflate": self = .deflate
      default: return nil
      }
    }
  }

  /// Most bytes that one body may inflate to (Suricata stops at a ratio of 2,048; browsers at memory).
  public static let limit = 64 << 20

  /// True once the input broke, or the limit was passed.
  public private(set) var failed = false
  /// True once the coding's own end was seen.
  public private(set) var finished = false
  /// True when the input was never coded: it is handed through.
  public private(set) var isIdentity = false
  /// Bytes of input that nothing was made of.
  public private(set) var undecoded = 0

  /// Longest beginning that may turn out not to be coded (a gzip header with names is far shorter).
  private static let holdLimit = 64 << 10
  private static let zlibWindow: Int32 = 15
  private static let rawWindow: Int32 = -15
  private static let gzipWindow: Int32 = 31

  /// zlib's state; initialised while `isStarted`, at one address all its life, as zlib demands.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isStarted = false
  private var isRaw = false
  private var produced = 0
  private var held: ByteBuffer? = ByteBuffer()
  private let coding: Coding

  /// Creates a decoder.
  public init(_ coding: Coding) {
    self.coding = coding
    unsafe stream = UnsafeMutablePointer.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
  }

  deinit {
    if isStarted { unsafe inflateEnd(stream) }
    unsafe stream.deallocate()
  }

  /// Returns what `bytes` inflate to; empty when more are needed.
  public func inflate(_ bytes: ByteBuffer) -> ByteBuffer {
    guard !isIdentity, bytes.readableBytes > 0 else { return bytes }
    guard !failed else {
      undecoded += bytes.readableBytes
      return ByteBuffer()
    }
    held?.writeImmutableBuffer(bytes)
    var out = ByteBuffer()
    var broken = run(bytes, into: &out)
    if broken, produced == 0, coding == .deflate, !isRaw, let held {
      isRaw = true
      undecoded = 0
      finished = false
      broken = unsafe inflateReset2(stream, InflateDecoder.rawWindow) != Z_OK
      if !broken { broken = run(held, into: &out) }
    }
    if broken, let held, isRaw || produced == 0 {
      isIdentity = true
      undecoded = 0
      return held
    }
    if broken { failed = true }
    if produced > 0 || (held?.readableBytes ?? 0) > InflateDecoder.holdLimit { held = nil }
    return out
  }

  /// Inflates one input; true when it broke. The rest of a broken input counts as undecoded.
  private func run(_ bytes: ByteBuffer, into out: inout ByteBuffer) -> Bool {
    guard isStarted || start() else { return true }
    return unsafe bytes.withUnsafeReadableBytes { input in
      // zlib does not write to its input; its header lacks the `const`.
      let first = unsafe input.bindMemory(to: UInt8.self).baseAddress
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: first)
      unsafe stream.pointee.avail_in = UInt32(clamping: input.count)
      defer {
        unsafe undecoded += Int(stream.pointee.avail_in)
        unsafe stream.pointee.next_in = nil
      }
      while unsafe stream.pointee.avail_in > 0 {
        if finished, !beginMember() { return false }
        if step(into: &out) { return true }
      }
      return false
    }
  }

  private func start() -> Bool {
    let window = coding == .gzip ? InflateDecoder.gzipWindow : InflateDecoder.zlibWindow
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    isStarted = unsafe inflateInit2_(stream, window, ZLIB_VERSION, size) == Z_OK
    return isStarted
  }

  /// Whether the input goes on with another gzip member.
  private func beginMember() -> Bool {
    guard coding == .gzip, unsafe stream.pointee.next_in.pointee == 0x1f else { return false }
    finished = false
    return unsafe inflateReset(stream) == Z_OK
  }

  /// Inflates until the input is used up or the coding ends; true when it broke.
  private func step(into out: inout ByteBuffer) -> Bool {
    var status = Z_OK
    repeat {
      let room = min(max(unsafe Int(stream.pointee.avail_in) * 4, 1 << 10), 64 << 10)
      unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        unsafe stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
        unsafe stream.pointee.avail_out = UInt32(room)
        status = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
        unsafe stream.pointee.next_out = nil
        return unsafe room - Int(stream.pointee.avail_out)
      }
      produced += unsafe room - Int(stream.pointee.avail_out)
      guard produced <= InflateDecoder.limit else { return true }
    } while unsafe status == Z_OK && stream.pointee.avail_out == 0
    finished = status == Z_STREAM_END
    // Room was left, so that only the lack of input may stop it.
    if status == Z_BUF_ERROR { return unsafe stream.pointee.avail_in > 0 }
    return status != Z_OK && status != Z_STREAM_END
  }
}
