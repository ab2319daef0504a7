public import NIOCore

/// Bytes of a capture file in, its items out, without I/O: classic pcap of every magic, pcapng, snoop.
///
/// Theory: the first four bytes say which format it is (draft-ietf-opsawg-pcap §4, draft-ietf-opsawg-pcapng §4.1, RFC 1761). All
/// are records with lengths in front; a record is decoded once it is there as a whole. Frames are slices of the bytes
/// that were put in, never copies.
///
/// Invariant: `input` begins at a record's first byte whenever `next` returns; `base + input.readerIndex` is its offset.
///
/// Three kinds of wrong: bytes that are no capture, or one of a kind that is not read, and lengths that cannot be
/// meant, throw with their offset, and nothing comes after; a file that ends inside a record is counted by `finish`;
/// what is not understood but has a length is skipped and counted. `append` behind `finish` is our bug.
public struct CaptureDecoder {
  /// The longest record that is read: 16 MiB, libpcap's limit for a block; what is skipped may be longer.
  public static let recordLimit = 16 << 20

  /// What was met that is not a frame.
  public private(set) var counters = CaptureCounters()

  private enum Format {
    case unknown
    case classic
    case pcapng
    case snoop
    case over
  }

  private var format = Format.unknown
  private var input = ByteBuffer()
  /// Offset in the file of index 0 of `input`.
  private var base = 0
  private var classic = ClassicRecords()
  private var pcapng = PcapngBlocks()
  private var snoop = SnoopRecords()

  /// Creates a decoder for one file.
  public init() {}

  /// Takes bytes behind those before.
  public mutating func append(_ bytes: ByteBuffer) {
    precondition(format != .over || bytes.readableBytes == 0, "nothing comes behind the end")
    if input.readableBytes == 0 {
      base += input.readerIndex - bytes.readerIndex
      input = bytes
    } else {
      input.writeImmutableBuffer(bytes)
    }
  }

  /// Lets `read` write bytes behind those that wait, in place; returns what it returns.
  ///
  /// The same block is used again when no frame holds a slice of it, so that reading a file needs one block of about
  /// `capacity` bytes, or a record's length.
  public mutating func refill<Result, Failure: Error>(
    capacity: Int, _ read: (inout ByteBuffer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    base += input.readerIndex
    if input.modifyIfUniquelyOwned({ _ = $0.discardReadBytes() }) == nil {
      var fresh = ByteBuffer()
      fresh.reserveCapacity(max(capacity, input.readableBytes * 2))
      fresh.writeImmutableBuffer(input)
      input = fresh
    }
    return try read(&input)
  }

  /// Returns the next item; `nil` when more bytes are needed.
  ///
  /// - Throws: `notACapture`, `unsupported` or `corruptBlock`, with its offset.
  @inline(__always)
  public mutating func next() throws(CaptureFormatError) -> CaptureItem? {
    do throws(Flaw) {
      while true {
        switch format {
        case .classic: return try classic.next(&input)
        case .pcapng: return try pcapng.next(&input, &counters)
        case .snoop: return try snoop.next(&input)
        case .unknown: guard try begin() else { return nil }
        case .over: return nil
        }
      }
    } catch {
      let at = base + input.readerIndex - pcapng.skipped
      format = .over
      if error.what == .corruptBlock { counters.count(.corruptBlock) }
      throw CaptureFormatError(what: error.what, offset: at, cause: error.cause)
    }
  }

  /// Says that the file ends here: what waits is its truncated tail.
  ///
  /// - Throws: `notACapture` when not even the header was there.
  public mutating func finish() throws(CaptureFormatError) {
    let waiting = input.readableBytes + pcapng.skipped
    switch format {
    case .classic, .pcapng, .snoop:
      counters.count(.truncatedTail, waiting)
      pcapng.finish(&counters)
      snoop.finish(&counters)
      format = .over
    case .unknown:
      format = .over
      let cause = waiting == 0 ? "the file is empty" : "\(waiting) bytes are too few for a header"
      let flaw = unknown() ?? Flaw(.notACapture, cause)
      throw CaptureFormatError(what: flaw.what, offset: 0, cause: flaw.cause)
    case .over: break
    }
  }

  /// Reads the header; false when it is not complete.
  private mutating func begin() throws(Flaw) -> Bool {
    guard input.readableBytes >= 4 else { return false }
    let magic = input.word(at: 0, isBigEndian: true)
    if magic == PcapngBlocks.sectionHeader {
      format = .pcapng
    } else if let variant = ClassicRecords.Variant(magic: magic) {
      guard try classic.readHeader(variant, &input) else { return false }
      format = .classic
    } else if magic == SnoopRecords.magic {
      guard try snoop.readHeader(&input) else { return false }
      format = .snoop
    } else {
      guard input.readableBytes >= OtherFormat.longestBeginning else { return false }
      throw unknown()
        ?? Flaw(.notACapture, "it begins with \(OtherFormat.hex(beginning.prefix(4)))")
    }
    return true
  }

  private var beginning: [UInt8] {
    let count = min(OtherFormat.longestBeginning, input.readableBytes)
    return input.getBytes(at: input.readerIndex, length: count) ?? []
  }

  /// Says what kind of file this is, when it is a well-known one that is not read.
  private func unknown() -> Flaw? {
    OtherFormat.name(beginning).map { Flaw(.unsupported, $0) }
  }
}
