import Glibc
import NIOCore

/// Finds the secrets of a pcapng file before its packets are read: they may stand behind them.
///
/// Theory: blocks have their length in front, so that what is not wanted is passed over; where blocks are shorter than
/// a window the file is read once more, at the speed of memory. The scan is a help, not a check: whatever is wrong
/// with the file ends it, and is told when the file itself is read.
struct SecretsScan {
  /// Bytes of secrets kept of one file: about 90,000 TLS sessions.
  static let limit = 16 << 20

  /// What was found, in the file's order.
  private(set) var secrets: [DecryptionSecrets] = []
  /// Whether the file is compressed, so that it was not looked into.
  private(set) var isPacked = false
  /// Bytes of these.
  private(set) var kept = 0
  /// Bytes of secrets that were not kept.
  private(set) var dropped = 0

  private static let windowSize = 64 << 10

  private let descriptor: Int32
  private var window = ByteBuffer()
  /// Offset in the file of the window's first byte.
  private var windowStart = 0

  /// Scans a file that can be read anywhere; nothing is found in one that is not pcapng, or is compressed.
  init(path: String) {
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    window.reserveCapacity(SecretsScan.windowSize)
    run()
    window = ByteBuffer()
  }

  private mutating func run() {
    var at = 0
    var isBigEndian = false
    while load(at, 12) {
      let index = at - windowStart
      let type = window.word(at: index, isBigEndian: isBigEndian)
      if type == PcapngBlocks.sectionHeader {
        isBigEndian = window.word(at: index + 8, isBigEndian: true) == PcapngBlocks.byteOrderMagic
      } else if at == 0 {
        if case .none = Decompression(window) { return }
        isPacked = true
        return
      }
      let length = Int(window.word(at: index + 4, isBigEndian: isBigEndian))
      guard length >= 12, length % 4 == 0 else { return }
      if type == PcapngBlocks.decryptionSecrets { take(at, length, isBigEndian) }
      at += length
    }
  }

  /// Reads a block of secrets.
  private mutating func take(_ at: Int, _ length: Int, _ isBigEndian: Bool) {
    guard length <= CaptureDecoder.recordLimit, length >= 20, load(at, length) else { return }
    let index = at - windowStart
    let count = Int(window.word(at: index + 12, isBigEndian: isBigEndian))
    guard count <= length - 20 else { return }
    guard kept + count <= SecretsScan.limit else {
      dropped += count
      return
    }
    kept += count
    let slice = window.getSlice(at: index + 16, length: count) ?? ByteBuffer()
    secrets.append(
      DecryptionSecrets(
        type: window.word(at: index + 8, isBigEndian: isBigEndian),
        bytes: ByteBuffer(bytes: slice.readableBytesView)))
  }

  /// Makes `count` bytes at `offset` of the file readable in the window; false when the file has none.
  private mutating func load(_ offset: Int, _ count: Int) -> Bool {
    if offset >= windowStart, offset + count <= windowStart + window.writerIndex { return true }
    windowStart = offset
    let room = max(count, SecretsScan.windowSize)
    var end = 0
    window.clear()
    while end < count {
      unsafe window.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        // As many as fit, read behind what is there.
        unsafe max(0, pread(descriptor, space.baseAddress, room - end, offset + end))
      }
      guard window.writerIndex > end else { return false }
      end = window.writerIndex
    }
    return true
  }
}
