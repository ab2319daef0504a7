import NIOCore
public import Packets

extension CapturedFrame {
  /// Returns this raw IP packet as fragments that begin at the given offsets of its payload, multiples of 8.
  ///
  /// IPv6 packets must not have extension headers; their fragments get one.
  public func fragmented(at offsets: [Int], identification: UInt16) -> [CapturedFrame] {
    let isIPv6 = bytes.getInteger(at: 0, as: UInt8.self).map { $0 >> 4 == 6 } ?? false
    let headerLength = isIPv6 ? 40 : 20
    let total = bytes.readableBytes - headerLength
    return ([0] + offsets).enumerated().map { index, offset in
      let end = index < offsets.count ? offsets[index] : total
      let hasMore = index < offsets.count
      var out = ByteBuffer()
      out.writeImmutableBuffer(bytes.getSlice(at: 0, length: headerLength) ?? ByteBuffer())
      if isIPv6 {
        let transport = bytes.getInteger(at: 6, as: UInt8.self) ?? 0
        out.setInteger(UInt16(8 + end - offset), at: 4)
        out.setInteger(44 as UInt8, at: 6)
        out.writeBytes([transport, 0])
        out.writeInteger(UInt16(offset) | (hasMore ? 1 : 0))
        out.writeInteger(UInt32(identification))
      } else {
        out.setInteger(UInt16(20 + end - offset), at: 2)
        out.setInteger(identification, at: 4)
        out.setInteger(UInt16(offset / 8) | (hasMore ? 0x2000 : 0), at: 6)
      }
      out.writeImmutableBuffer(
        bytes.getSlice(at: headerLength + offset, length: end - offset) ?? ByteBuffer())
      return CapturedFrame(
        bytes: out, originalLength: out.readableBytes, linkType: linkType, at: at)
    }
  }
}
