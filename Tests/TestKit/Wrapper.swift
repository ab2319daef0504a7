public import NIOCore

/// A layer that a test puts around a packet.
public enum Wrapper: Sendable {
  /// Any bytes in front.
  case bytes([UInt8])
  /// Any bytes behind: padding, a frame check sequence.
  case trailer([UInt8])
  /// An Ethernet header with this EtherType.
  case ethernet(UInt16)
  /// An IPv4 header with this protocol.
  case ipv4(UInt8)
  /// An IPv6 header with this next header.
  case ipv6(UInt8)
  /// A UDP header with this destination port.
  case udp(UInt16)

  /// Returns the packet with the layer around it.
  public func wrap(_ packet: ByteBuffer) -> ByteBuffer {
    let length = packet.readableBytes
    var out = ByteBuffer()
    switch self {
    case .bytes(let bytes): out.writeBytes(bytes)
    case .trailer: break
    case .ethernet(let type):
      out.writeBytes([2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4])
      out.writeInteger(type)
    case .ipv4(let transport):
      out.writeBytes([0x45, 0])
      out.writeInteger(UInt16(truncatingIfNeeded: 20 + length))
      out.writeBytes([0, 7, 0x40, 0, 64, transport, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2])
    case .ipv6(let transport):
      out.writeBytes([0x60, 0, 0, 0])
      out.writeInteger(UInt16(truncatingIfNeeded: length))
      out.writeBytes([transport, 64])
      for last in [1, 2] as [UInt8] {
        out.writeBytes([0xfd] + [UInt8](repeating: 0, count: 14) + [last])
      }
    case .udp(let port):
      out.writeInteger(UInt16(55_555))
      out.writeInteger(port)
      out.writeInteger(UInt16(truncatingIfNeeded: 8 + length))
      out.writeInteger(UInt16(0))
    }
    out.writeImmutableBuffer(packet)
    if case .trailer(let bytes) = self { out.writeBytes(bytes) }
    return out
  }
}
