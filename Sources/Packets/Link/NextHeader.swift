/// One protocol layer of a frame: what was looked for, or the class the packet counts under.
enum Layer<Found> {
  case found(Found)
  case counted(PacketClass)
}

/// The header that a walk through a frame reads next.
enum NextHeader {
  case link(Int)
  case ethernet
  case etherType(UInt16)
  /// IEEE 802.2; the number is what counts the packet when it carries no IP.
  case llc(UInt16)
  case ppp
  case mpls(UInt16)
  case network
}

/// A position in a frame.
struct FrameCursor {
  /// Offset of the next header.
  var at: Int
  /// Offset behind the last byte on the wire that can belong to it; beyond the captured bytes after a snap length.
  var end: Int

  /// Whether the next header's `count` bytes were captured.
  @inline(__always)
  func has(_ count: Int, _ bytes: Span<UInt8>) -> Bool { at + count <= bytes.count }
}
