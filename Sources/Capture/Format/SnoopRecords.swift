import Basics
import NIOCore
import Packets

/// The records of a snoop capture, as Solaris writes them (RFC 1761).
///
/// Theory: a header of 16 bytes, then records with their own length, which the padding may make longer than header and
/// data; all numbers are in network byte order. Each record has the count of packets lost so far.
struct SnoopRecords {
  /// The first four bytes of a file: `snoo`.
  static let magic: UInt32 = 0x736e_6f6f

  private static let fileHeader = 16
  private static let recordHeader = 24

  private var linkType = LinkType.ethernet
  private var drops = 0

  /// Takes the file's header from `input`; false when it is not complete.
  mutating func readHeader(_ input: inout ByteBuffer) throws(Flaw) -> Bool {
    guard input.readableBytes >= SnoopRecords.fileHeader else { return false }
    guard input.word(at: 4, isBigEndian: true) == 0x7000_0000 else {
      throw Flaw(.notACapture, "it begins with snoo")
    }
    let version = input.word(at: 8, isBigEndian: true)
    guard version == 2 else {
      throw Flaw(.unsupported, "a snoop file of version \(version), not 2")
    }
    switch input.word(at: 12, isBigEndian: true) {
    // IEEE 802.3 and Ethernet: their frames tell themselves apart.
    case 0, 4: linkType = .ethernet
    case 8: linkType = .fddi
    case let other: throw Flaw(.unsupported, "a snoop file of datalink type \(other)")
    }
    input.moveReaderIndex(forwardBy: SnoopRecords.fileHeader)
    return true
  }

  /// Returns the next record's frame; `nil` when it is not complete.
  mutating func next(_ input: inout ByteBuffer) throws(Flaw) -> CaptureItem? {
    guard input.readableBytes >= SnoopRecords.recordHeader else { return nil }
    let original = Int(input.word(at: 0, isBigEndian: true))
    let captured = Int(input.word(at: 4, isBigEndian: true))
    let length = Int(input.word(at: 8, isBigEndian: true))
    guard length <= CaptureDecoder.recordLimit, length - SnoopRecords.recordHeader >= captured
    else { throw Flaw(.corruptBlock, "\(captured) captured bytes in a record of \(length)") }
    guard input.readableBytes >= length else { return nil }
    drops = max(drops, Int(input.word(at: 12, isBigEndian: true)))
    let seconds = Int64(input.word(at: 16, isBigEndian: true))
    let time = seconds * 1_000_000_000 + Int64(input.word(at: 20, isBigEndian: true)) * 1000
    let start = input.readerIndex + SnoopRecords.recordHeader
    let bytes = input.getSlice(at: start, length: captured) ?? ByteBuffer()
    input.moveReaderIndex(forwardBy: length)
    return .frame(
      CapturedFrame(
        bytes: bytes, originalLength: original, linkType: linkType,
        at: Timestamp(nanoseconds: time)))
  }

  /// Counts the packets that never came into the file.
  func finish(_ counters: inout CaptureCounters) { counters.count(.kernelDrop, drops) }
}
