/// What a TCP header says that matters to reassembly (RFC 9293 §3.1).
struct TCPView {
  /// The control bits.
  struct Flags: OptionSet {
    var rawValue: UInt8
    static let fin = Flags(rawValue: 1)
    static let syn = Flags(rawValue: 2)
    static let rst = Flags(rawValue: 4)
    static let psh = Flags(rawValue: 8)
    static let ack = Flags(rawValue: 16)
    static let urg = Flags(rawValue: 32)

    /// Whether an acknowledgement, and maybe data, is all there is; congestion bits don't matter here.
    var isPlain: Bool { rawValue & 0x37 == Flags.ack.rawValue }
  }

  var sourcePort: UInt16
  var destinationPort: UInt16
  var sequence: SequenceNumber
  var acknowledgement: SequenceNumber
  var flags: Flags
  /// Offset of the header in the frame.
  var header: Int
  /// Offset of the payload in the frame.
  var payload: Int
  /// Payload bytes that were captured.
  var captured: Int
  /// Payload bytes on the wire behind those, cut off by the snap length.
  var missing: Int

  /// Payload bytes on the wire.
  var length: Int { captured + missing }

  /// The sequence number of the first payload byte: a SYN takes one of its own.
  var dataSequence: SequenceNumber { flags.contains(.syn) ? sequence + 1 : sequence }

  /// Reads the TCP header that `ip` carries.
  @inline(__always)
  static func read(_ bytes: Span<UInt8>, _ ip: IPView) -> Layer<TCPView> {
    let at = ip.payload
    guard ip.payloadLength >= 20 else { return .counted(.badTCPHeader) }
    guard at + 20 <= bytes.count else { return .counted(.truncatedHeader) }
    let ports = bytes.bigEndian32(at: at)
    let control = bytes.bigEndian16(at: at + 12)
    let headerLength = Int(control >> 12) * 4
    guard headerLength >= 20, headerLength <= ip.payloadLength else {
      return .counted(.badTCPHeader)
    }
    let payload = at + headerLength
    let length = ip.payloadLength - headerLength
    let captured = max(0, min(length, bytes.count - payload))
    return .found(
      TCPView(
        sourcePort: UInt16(truncatingIfNeeded: ports >> 16),
        destinationPort: UInt16(truncatingIfNeeded: ports),
        sequence: SequenceNumber(bytes.bigEndian32(at: at + 4)),
        acknowledgement: SequenceNumber(bytes.bigEndian32(at: at + 8)),
        flags: Flags(rawValue: UInt8(truncatingIfNeeded: control)), header: at,
        payload: min(payload, bytes.count), captured: captured, missing: length - captured))
  }
}
