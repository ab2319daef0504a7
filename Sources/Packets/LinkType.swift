/// What a frame's first header is: a DLT or LINKTYPE number of the tcpdump group's list.
///
/// The two number spaces agree except for raw IP, where both numbers are understood.
public struct LinkType: Hashable, Sendable {
  /// The number in the file or from `pcap_datalink`.
  public let number: Int

  /// Names a link type by its number.
  @inlinable
  public init(_ number: Int) { self.number = number }

  /// BSD loopback: an address family in the byte order of the machine that captured.
  public static let null = LinkType(0)
  /// Ethernet, with any number of VLAN tags.
  public static let ethernet = LinkType(1)
  /// Raw IP, the version is in the first nibble.
  public static let raw = LinkType(101)
  /// OpenBSD loopback: an address family in network byte order.
  public static let loop = LinkType(108)
  /// Linux "cooked" capture, as `-i any` wrote it.
  public static let linuxSLL = LinkType(113)
  /// Raw IPv4.
  public static let ipv4 = LinkType(228)
  /// Raw IPv6.
  public static let ipv6 = LinkType(229)
  /// Linux "cooked" capture, version 2.
  public static let linuxSLL2 = LinkType(276)

  /// Whether frames of this type can be taken apart; others are counted.
  public var isSupported: Bool {
    switch number {
    case 0, 1, 12, 14, 101, 108, 113, 228, 229, 276: true
    default: false
    }
  }
}
