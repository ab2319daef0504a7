import Basics
import NIOCore

/// The lines that frame chunks (RFC 9112 §7.1).
enum ChunkSize {
  /// Larger chunks are no chunks (2^50 bytes take days at 10 GB/s).
  private static let limit = 1 << 50

  /// Reads the line before a chunk: hexadecimal digits, then white space or an extension, ignored.
  static func read(_ line: ByteBuffer) -> Int? {
    var size = 0
    var digits = 0
    for byte in line.readableBytesView {
      guard let value = JSONScan.hexValue(byte) else {
        let isEnd =
          byte == 0x0a || byte == 0x0d || byte == 0x3b || byte == 0x20 || byte == 0x09
        return isEnd && digits > 0 ? size : nil
      }
      size = size << 4 | Int(value)
      digits += 1
      if size > limit { return nil }
    }
    return nil
  }

  /// Returns whether a line is a line end and nothing else.
  static func isEmptyLine(_ line: ByteBuffer) -> Bool {
    line.readableBytesView.allSatisfy { $0 == 0x0d || $0 == 0x0a }
  }
}
