internal import CZlib
public import NIOCore

/// Removes a gzip or deflate content coding (RFC 9110 §8.4.1), incrementally.
///
/// Every call gives what can be inflated so far, so that events of a compressed stream keep their times. "deflate" may be zlib
/// (RFC 1950) or raw (RFC 1951): the first byte decides. Output is bounded; bytes behind the limit are counted.
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

  /// True once the input was no such coding, or the limit was passed.
  public private(set) var failed = false
  /// True once the coding's own end was seen.
  public private(set) var finished = false

  // zlib's state; only touched between `inflateInit2_` and `inflateEnd`, pointers set for one call each.
  private var stream = unsafe z_stream()
  private var started = false
  private var produced = 0
  private let coding: Coding

  /// Creates a decoder.
  public init(_ coding: Coding) { self.coding = coding }

  deinit { if started { unsafe inflateEnd(&stream) } }

  /// Returns what `bytes` inflate to; empty when more are needed.
  public func inflate(_ bytes: ByteBuffer) -> ByteBuffer {
    var out = ByteBuffer()
    var bytes = bytes
    guard !failed, !finished, bytes.readableBytes > 0 else { return out }
    if !started {
      started = true
      let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) ?? 0
      // 15 window bits: 16+ for gzip, plain for zlib, negative for raw deflate.
      let window: Int32 = coding == .gzip ? 31 : first & 0x0f == 8 ? 15 : -15
      let size = unsafe Int32(MemoryLayout<z_stream>.size)
      guard unsafe inflateInit2_(&stream, window, ZLIB_VERSION, size) == Z_OK else {
        failed = true
        return out
      }
    }
    _ = unsafe bytes.readWithUnsafeMutableReadableBytes { input in
      let base = unsafe input.bindMemory(to: UInt8.self).baseAddress
      unsafe stream.next_in = base
      unsafe stream.avail_in = UInt32(input.count)
      repeat { step(&out) } while unsafe !failed && !finished && stream.avail_in > 0
      return input.count
    }
    return out
  }

  private func step(_ out: inout ByteBuffer) {
    let room = 32 << 10
    var status = Z_OK
    repeat {
      unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        unsafe stream.next_out = space.bindMemory(to: UInt8.self).baseAddress
        unsafe stream.avail_out = UInt32(room)
        status = unsafe CZlib.inflate(&stream, Z_SYNC_FLUSH)
        let count = unsafe room - Int(stream.avail_out)
        produced += count
        return count
      }
    } while unsafe status == Z_OK && stream.avail_out == 0 && produced <= InflateDecoder.limit
    if status == Z_STREAM_END { finished = true }
    let isStuck = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR
    if isStuck || produced > InflateDecoder.limit { failed = true }
    if status == Z_BUF_ERROR { unsafe stream.avail_in = 0 }
  }
}
