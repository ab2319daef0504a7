internal import Basics
public import NIOCore
internal import Wire

/// Replaces the value of Host fields in a client's HTTP/1 requests; every other byte stays as it is.
///
/// Theory: where heads begin and end takes the framing of the bodies between them (RFC 9112 §6), which `HTTP1Decoder`
/// knows. The raw bytes wait beside it, only from the first byte of a head to its last; those of a body pass at once.
/// What is not an HTTP/1 request (TLS, HTTP/2, what follows an upgrade) passes unread from there on, as does a
/// head longer than the decoder reads.
///
/// Invariant: bytes out + bytes held = bytes in, but for the values of Host fields.
public struct HostRewriter {
  /// Longest method that is waited for; the longest registered one has 17 letters.
  private static let methodLimit = 32

  private let host: ByteBuffer
  private var decoder = HTTP1Decoder(role: .request)
  /// What came and was not passed on, and where in the stream it begins.
  private var held = ByteBuffer()
  private var passed = 0
  private var isInMessage = false
  /// True once the bytes are not HTTP/1 requests.
  public private(set) var isOpaque = false

  /// Creates a rewriter that writes `host`, for one connection.
  public init(host: String) { self.host = ByteBuffer(string: host) }

  /// Takes the next bytes; returns what goes out now, which may be nothing.
  public mutating func rewrite(_ bytes: ByteBuffer) -> ByteBuffer {
    guard !isOpaque else { return bytes }
    held.appendOrBecome(bytes)
    decoder.append(bytes, at: Timestamp(nanoseconds: 0))
    var out = ByteBuffer()
    while !isOpaque, let event = decoder.next() {
      switch event {
      case .request(let head):
        write(head: take(to: decoder.explained), to: &out)
        isInMessage = true
        // What follows may be of any protocol.
        if head.method == "CONNECT" { isOpaque = true }
      case .end:
        isInMessage = false
        out.appendOrBecome(take(to: decoder.explained))
      case .body, .trailers, .bodyGap:
        out.appendOrBecome(take(to: decoder.explained))
      case .skipped, .tunnel, .tunnelGap, .response:
        isOpaque = true
      }
    }
    if isOpaque || isInMessage || !mayBeHead { out.appendOrBecome(release()) }
    return out
  }

  /// Returns what is held, at the end of the stream or when it is no head.
  public mutating func release() -> ByteBuffer {
    if !isOpaque, !isInMessage, !mayBeHead { isOpaque = true }
    passed += held.readableBytes
    defer { held = ByteBuffer() }
    return held
  }

  private mutating func take(to position: Int) -> ByteBuffer {
    let count = max(0, position - passed)
    passed += count
    return held.readSlice(length: min(count, held.readableBytes)) ?? ByteBuffer()
  }

  /// Whether what is held can be the beginning of a head: a method, then a space; empty lines may come before.
  private var mayBeHead: Bool {
    var length = 0
    for byte in held.readableBytesView {
      switch byte {
      case 0x20: return length > 0
      case 0x0d, 0x0a:
        if length > 0 { return false }
      case 0x41...0x5a, 0x61...0x7a, 0x30...0x39, 0x2d, 0x5f:
        length += 1
        if length > Self.methodLimit { return false }
      default: return false
      }
    }
    return true
  }

  /// Copies the lines of a head, with other values behind each `Host:`.
  private func write(head: ByteBuffer, to out: inout ByteBuffer) {
    var rest = head
    while let end = rest.readableBytesView.firstIndex(of: 0x0a) {
      guard var line = rest.readSlice(length: end + 1 - rest.readerIndex) else { return }
      let ending = line.readableBytesView.dropLast().last == 0x0d ? 2 : 1
      let name = line.readableBytesView.prefix(5)
      guard name.elementsEqual("host:".utf8, by: { $0 | 0x20 == $1 | 0x20 }),
        name.last == 0x3a
      else {
        out.writeImmutableBuffer(line)
        continue
      }
      out.writeBytes(name)
      line.moveReaderIndex(forwardBy: name.count)
      let spaces = line.readableBytesView.prefix { $0 == 0x20 || $0 == 0x09 }
      out.writeBytes(spaces)
      out.writeImmutableBuffer(host)
      out.writeBytes(line.readableBytesView.suffix(ending))
    }
    out.writeImmutableBuffer(rest)
  }
}

extension ByteBuffer {
  /// Appends `other`, or takes its place without a copy when there is nothing yet.
  fileprivate mutating func appendOrBecome(_ other: ByteBuffer) {
    if readableBytes == 0 {
      self = other
    } else {
      writeImmutableBuffer(other)
    }
  }
}

/// Rewrites what is written to an upstream; only there when it was asked for.
final class HostRewriteHandler: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var rewriter: HostRewriter

  init(host: String) { rewriter = HostRewriter(host: host) }

  /// An empty write is how the relay waits for the end of its output: what is held goes before it.
  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = Self.unwrapOutboundIn(data)
    let out = bytes.readableBytes == 0 ? rewriter.release() : rewriter.rewrite(bytes)
    if out.readableBytes > 0, bytes.readableBytes == 0 {
      context.write(Self.wrapOutboundOut(out), promise: nil)
    }
    context.write(Self.wrapOutboundOut(bytes.readableBytes == 0 ? bytes : out), promise: promise)
  }
}
