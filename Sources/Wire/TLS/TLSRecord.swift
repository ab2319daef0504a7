import Basics
import NIOCore

/// One record as it was on the wire (RFC 8446 §5.1).
struct TLSRecord {
  /// Content type: 20 change_cipher_spec, 21 alert, 22 handshake, 23 application_data, 24 heartbeat.
  let type: UInt8
  /// The version in the record's header, which is not the connection's.
  let version: UInt16
  /// What the header's length covers.
  let body: ByteBuffer
  /// Capture time of the segment that completes it.
  let at: Timestamp

  static let headerLength = 5
  /// Most bytes of a record that implementations send (RFC 8446 §5.2: 2^14 + 256, and the header).
  static let usualLimit = 5 + 16384 + 256
  static let changeCipherSpec: UInt8 = 20
  static let alert: UInt8 = 21
  static let handshake: UInt8 = 22
  static let applicationData: UInt8 = 23
  /// Not on the wire: a ClientHello of SSL 2.0 that offers more (RFC 5246 appendix E.2), from behind its version on.
  static let ssl2Hello: UInt8 = 0x80

  /// The same record with bytes of its own.
  func copy() -> TLSRecord {
    TLSRecord(
      type: type, version: version, body: ByteBuffer(bytes: body.readableBytesView), at: at)
  }

  /// Bytes on the wire.
  var length: Int { TLSRecord.headerLength + body.readableBytes }
}
