/// Names formats that are not read by their first bytes, so that the error can say what a file is.
enum OtherFormat {
  /// No beginning is longer.
  static let longestBeginning = 32

  private static let names: [(prefix: [UInt8], name: String)] = [
    (text("btsnoop\0"), "a Bluetooth btsnoop capture"),
    (text("iptrace "), "an AIX iptrace capture; convert it: editcap FILE OUT.pcapng"),
    (text("TRSNIFF data"), "a DOS Sniffer capture; convert it: editcap FILE OUT.pcapng"),
    (text("XCP\0"), "a NetXRay capture; convert it: editcap FILE OUT.pcapng"),
    (text("RTSS"), "a Network Monitor 1 capture; convert it: editcap FILE OUT.pcapng"),
    (text("GMBU"), "a Network Monitor 2 capture; convert it: editcap FILE OUT.pcapng"),
    ([0x7f] + text("ver"), "a Peek capture; convert it: editcap FILE OUT.pcapng"),
    ([0x04, 0x22, 0x4d, 0x18], "compressed with lz4; decompress it first (lz4 -dc)"),
    ([0xfd] + text("7zXZ\0"), "compressed with xz; decompress it first (xz -dc)"),
    (text("BZh"), "compressed with bzip2; decompress it first (bzip2 -dc)"),
    (text("PK") + [3, 4], "a zip archive; unpack it first (unzip)"),
    (
      text("{\"type\":\"header\",\"format\":\"m"),
      "a trace, not a capture; look at it with: trace show"
    ),
  ]

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Returns what a file is that begins so, and what to do about it.
  static func name(_ first: [UInt8]) -> String? {
    names.first { first.starts(with: $0.prefix) }?.name
  }

  /// Returns bytes as two digits each.
  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.utf8.count == 1 ? "0" + digits : digits
    }.joined(separator: " ")
  }
}
