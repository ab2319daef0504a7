/// What a frame's first header is: a DLT or LINKTYPE number of the tcpdump group's list.
///
/// The two number spaces agree except for a few old types, where both numbers are understood.
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
  /// PPP, with or without HDLC framing.
  public static let ppp = LinkType(9)
  /// FDDI.
  public static let fddi = LinkType(10)
  /// PPP in HDLC-like framing (RFC 1662), or Cisco's HDLC.
  public static let pppSerial = LinkType(50)
  /// PPPoE session packets without their Ethernet header.
  public static let pppEthernet = LinkType(51)
  /// Raw IP, the version is in the first nibble.
  public static let raw = LinkType(101)
  /// Cisco's HDLC.
  public static let ciscoHDLC = LinkType(104)
  /// OpenBSD loopback: an address family in network byte order.
  public static let loop = LinkType(108)
  /// Linux "cooked" capture, as `-i any` wrote it.
  public static let linuxSLL = LinkType(113)
  /// OpenBSD's packet filter log.
  public static let packetFilterLog = LinkType(117)
  /// ARCNET as Linux captures it.
  public static let arcnetLinux = LinkType(129)
  /// Raw IPv4.
  public static let ipv4 = LinkType(228)
  /// Raw IPv6.
  public static let ipv6 = LinkType(229)
  /// Netfilter's log, as `-i nflog` gives it.
  public static let netfilterLog = LinkType(239)
  /// Darwin's `-i any`: a header that names the link type of the frame behind it.
  public static let pktap = LinkType(258)
  /// Linux "cooked" capture, version 2.
  public static let linuxSLL2 = LinkType(276)
}
