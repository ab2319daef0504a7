import Basics

/// The lines that frame chunks (RFC 9112 §7.1), as lenient as C's `strtol`, which most readers use.
enum ChunkSize {
  /// Larger chunks are no chunks (2^50 bytes take days at 10 GB/s).
  private static let limit = 1 << 50

  /// Reads the line before a chunk: white space, hexadecimal digits (perhaps behind `0x`), then anything, ignored.
  static func read(_ bytes: Span<UInt8>) -> Int? {
    var i = 0
    while i < bytes.count, bytes[i] == 0x20 || bytes[i] == 0x09 { i += 1 }
    if i < bytes.count, bytes[i] == 0x2b { i += 1 }
    if i + 2 < bytes.count, bytes[i] == 0x30, bytes[i + 1] | 0x20 == 0x78,
      JSONScan.hexValue(bytes[i + 2]) != nil
    {
      i += 2
    }
    var size: Int?
    while i < bytes.count, let value = JSONScan.hexValue(bytes[i]) {
      let next = (size ?? 0) << 4 | Int(value)
      if next > limit { return nil }
      size = next
      i += 1
    }
    return size
  }

  /// Returns whether a line is a line end and nothing else.
  static func isEmptyLine(_ line: Span<UInt8>) -> Bool {
    for i in line.indices where line[i] != 0x0d && line[i] != 0x0a { return false }
    return true
  }
}
