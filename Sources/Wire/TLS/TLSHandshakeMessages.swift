import NIOCore

/// Puts handshake messages together from the records of one direction (RFC 8446 §4).
///
/// Messages that nobody asks for (certificates, tickets) are passed over without being kept.
struct TLSHandshakeMessages {
  struct Message {
    let type: UInt8
    let body: ByteBuffer
  }

  static let clientHello: UInt8 = 1
  static let serverHello: UInt8 = 2
  static let endOfEarlyData: UInt8 = 5
  static let encryptedExtensions: UInt8 = 8
  static let finished: UInt8 = 20
  static let keyUpdate: UInt8 = 24

  private static let wanted: Set<UInt8> = [
    clientHello, serverHello, endOfEarlyData, encryptedExtensions, finished, keyUpdate,
  ]
  /// Most bytes of a message that is kept; hellos with post-quantum keys have some 2 KiB.
  private static let limit = 64 << 10

  private var buffer = ByteBuffer()
  private var skip = 0

  /// Takes the contents of a handshake record.
  mutating func append(_ part: ByteBuffer) {
    var part = part
    if skip > 0 {
      let count = min(skip, part.readableBytes)
      part.moveReaderIndex(forwardBy: count)
      skip -= count
    }
    buffer.writeImmutableBuffer(part)
  }

  /// Returns the next whole message.
  mutating func next() -> Message? {
    while let head = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) {
      let type = UInt8(truncatingIfNeeded: head >> 24)
      let length = Int(head & 0xff_ffff)
      guard TLSHandshakeMessages.wanted.contains(type), length <= TLSHandshakeMessages.limit else {
        let whole = 4 + length
        let count = min(whole, buffer.readableBytes)
        buffer.moveReaderIndex(forwardBy: count)
        skip = whole - count
        buffer.discardReadBytes()
        if skip > 0 { return nil }
        continue
      }
      guard buffer.readableBytes >= 4 + length else { return nil }
      buffer.moveReaderIndex(forwardBy: 4)
      let body = buffer.readSlice(length: length) ?? ByteBuffer()
      if buffer.readableBytes == 0 { buffer = ByteBuffer() }
      return Message(type: type, body: body)
    }
    return nil
  }

  /// Forgets what was begun: the next record begins a message.
  mutating func reset() {
    buffer = ByteBuffer()
    skip = 0
  }
}
