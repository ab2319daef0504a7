import Basics
import NIOCore
import Packets

/// The records of a classic capture file (draft-ietf-opsawg-pcap).
///
/// Theory: a header of 24 bytes in the writer's byte order, then records: time, captured length, length on the wire.
/// The magic number says byte order, unit of the time's fraction, and whether records have the 8 bytes more of the
/// "modified" libpcap of 1999. Files older than version 2.4 have the two lengths the other way round: before 2.3 always,
/// in 2.3 where the captured one would be the greater (libpcap's sf-pcap.c).
struct ClassicRecords {
  /// What a magic number says.
  struct Variant {
    var isBigEndian: Bool
    var hasNanoseconds: Bool
    var recordHeader: Int

    /// Reads the magic as a number in network byte order.
    init?(magic: UInt32) {
      switch (magic, magic.byteSwapped) {
      case (0xa1b2_c3d4, _): self.init(true, false, 16)
      case (_, 0xa1b2_c3d4): self.init(false, false, 16)
      case (0xa1b2_3c4d, _): self.init(true, true, 16)
      case (_, 0xa1b2_3c4d): self.init(false, true, 16)
      case (0xa1b2_cd34, _): self.init(true, false, 24)
      case (_, 0xa1b2_cd34): self.init(false, false, 24)
      default: return nil
      }
    }

    private init(_ isBigEndian: Bool, _ hasNanoseconds: Bool, _ recordHeader: Int) {
      self.isBigEndian = isBigEndian
      self.hasNanoseconds = hasNanoseconds
      self.recordHeader = recordHeader
    }
  }

  private enum LengthOrder {
    case captureFirst
    case wireFirst
    case smallerIsCapture
  }

  private static let fileHeader = 24

  private var isBigEndian = false
  private var fraction: Int64 = 1000
  private var recordHeader = 16
  private var order = LengthOrder.captureFirst
  private var linkType = LinkType.null
  /// Bytes of frame check sequence at the end of each frame.
  private var checkLength = 0

  /// Takes the file's header from `input`; false when it is not complete.
  mutating func readHeader(_ variant: Variant, _ input: inout ByteBuffer) throws(Flaw) -> Bool {
    guard input.readableBytes >= ClassicRecords.fileHeader else { return false }
    isBigEndian = variant.isBigEndian
    fraction = variant.hasNanoseconds ? 1 : 1000
    recordHeader = variant.recordHeader
    let major = input.half(at: 4, isBigEndian: isBigEndian)
    let minor = input.half(at: 6, isBigEndian: isBigEndian)
    switch (major, minor) {
    // 543.0 is what DG/UX tcpdump writes.
    case (2, 0...2), (543, 0): order = .wireFirst
    case (2, 3): order = .smallerIsCapture
    // What comes after 2.4 has been announced for decades and has never come: files that say so are of 2.4.
    case (2, 4...): order = .captureFirst
    default: throw Flaw(.unsupported, "a pcap file of version \(major).\(minor), not 2.4")
    }
    let link = input.word(at: 20, isBigEndian: isBigEndian)
    // The upper six bits: length of the frame check sequence in units of 16 bits, and whether it is known.
    linkType = LinkType(Int(link & 0x03ff_ffff))
    checkLength = link & 0x0400_0000 != 0 ? Int(link >> 28) * 2 : 0
    input.moveReaderIndex(forwardBy: ClassicRecords.fileHeader)
    return true
  }

  /// Returns the next record's frame; `nil` when it is not complete.
  @inline(__always)
  func next(_ input: inout ByteBuffer) throws(Flaw) -> CaptureItem? {
    guard input.readableBytes >= recordHeader else { return nil }
    let seconds = input.word(at: 0, isBigEndian: isBigEndian)
    let fractions = input.word(at: 4, isBigEndian: isBigEndian)
    var captured = Int(input.word(at: 8, isBigEndian: isBigEndian))
    var original = Int(input.word(at: 12, isBigEndian: isBigEndian))
    switch order {
    case .captureFirst: break
    case .smallerIsCapture where captured <= original: break
    case .wireFirst, .smallerIsCapture: swap(&captured, &original)
    }
    guard captured <= CaptureDecoder.recordLimit else {
      throw Flaw(.corruptBlock, "a captured length of \(captured) bytes")
    }
    guard input.readableBytes - recordHeader >= captured else { return nil }
    original = max(original, captured) - checkLength
    let kept = max(0, min(captured, original))
    let bytes = input.getSlice(at: input.readerIndex + recordHeader, length: kept) ?? ByteBuffer()
    input.moveReaderIndex(forwardBy: recordHeader + captured)
    // At most 2^32 seconds and 2^32 microseconds: 64 bits hold the sum.
    let time = Int64(seconds) &* 1_000_000_000 &+ Int64(fractions) &* fraction
    return .frame(
      CapturedFrame(
        bytes: bytes, originalLength: original, linkType: linkType,
        at: Timestamp(nanoseconds: time)))
  }
}
