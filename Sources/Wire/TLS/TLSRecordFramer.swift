import Basics
import NIOCore

/// Cuts one direction into records, and finds them again behind a gap.
///
/// Theory: headers are not encrypted, so records can be cut without keys. A gap that lies in a record whose header was seen costs
/// that record alone: its end is known. Else the next plausible header is looked for; as 5 bytes in 10^7 look like one by
/// chance, another must follow it, or its record must end where a segment ends. States: in step → (gap) skipping the rest of
/// a record → in step; (gap, implausible header) searching → in step.
struct TLSRecordFramer {
  /// A run of stream bytes without a whole record.
  struct Hole {
    /// Stream bytes from the end of the last record to the next one's header: lost ones and `discarded`.
    var bytes = 0
    /// Bytes of it that were seen but belong to no whole record.
    var discarded = 0
    /// Records that it stands for; `nil` when that can't be told.
    var records: Int? = 0
    /// True when bytes are missing, false when they only made no sense.
    var isLoss = false
    /// Capture time of its latest piece.
    var at: Timestamp
  }

  enum Item {
    case record(TLSRecord)
    case hole(Hole)

    var at: Timestamp {
      switch self {
      case .record(let record): record.at
      case .hole(let hole): hole.at
      }
    }
  }

  /// Most bytes of a record's body (RFC 5246 §6.2.3: 2^14 + 2048).
  private static let bodyLimit = 16384 + 2048

  private var bytes = TimedBytes()
  private var isInStep: Bool
  private var skip = 0
  private var hole: Hole?
  private var items: [Item] = []
  private var first = 0
  /// Items before this one hold bytes of their own.
  private var owned = 0
  private(set) var queuedBytes = 0
  private var isOver = false
  /// True until the stream's first bytes were looked at.
  private var isAtStart: Bool

  /// Creates a framer; `fromStart` is false where the first bytes may be the rest of a record.
  init(fromStart: Bool) {
    isInStep = fromStart
    isAtStart = fromStart
  }

  /// Bytes that wait here, in records or on the way to one.
  var held: Int { queuedBytes + bytes.count }

  /// The next item, which stays.
  var front: Item? { first < items.count ? items[first] : nil }

  /// Removes the next item.
  mutating func removeFront() {
    if case .record(let record) = items[first] { queuedBytes -= record.length }
    first += 1
    if first == items.count || first >= 256 {
      items.removeFirst(first)
      owned = max(0, owned - first)
      first = 0
    }
  }

  mutating func append(_ chunk: ByteBuffer, at: Timestamp) {
    bytes.append(chunk, at: at)
    cut(at)
  }

  mutating func gap(_ count: Int, at: Timestamp) {
    let partial = bytes.count
    var rest = skip
    if isInStep, skip == 0 {
      let header = partial >= TLSRecord.headerLength ? TLSRecordFramer.header(bytes.bytes, 0) : nil
      if let header {
        rest = TLSRecord.headerLength + header.length - partial
        addToHole(at) { $0.records = $0.records.map { $0 + 1 } }
      } else {
        rest = 0
      }
    }
    discard(partial, at)
    addToHole(at) {
      $0.bytes += count
      $0.isLoss = true
    }
    if count <= rest {
      skip = rest - count
    } else {
      skip = 0
      isInStep = false
      addToHole(at) { $0.records = nil }
    }
  }

  /// Copies what waits, so that it does not keep the source's blocks: a record may be a slice of a much larger one.
  mutating func own() {
    for i in max(first, owned)..<max(first, owned, items.count) {
      if case .record(let record) = items[i] { items[i] = .record(record.copy()) }
    }
    owned = items.count
    bytes.own()
  }

  /// Takes the end of the direction: what is left is no record.
  mutating func end(at: Timestamp) {
    guard !isOver else { return }
    isOver = true
    discard(bytes.count, at)
    closeHole()
  }

  /// Takes all bytes that wait and forgets them; returns how many there were, those of holes not among them.
  mutating func drop() -> Int {
    defer {
      items = []
      first = 0
      owned = 0
      queuedBytes = 0
    }
    var count = bytes.take(bytes.count).bytes.readableBytes + (hole?.discarded ?? 0)
    hole = nil
    for item in items[first...] {
      switch item {
      case .record(let record): count += record.length
      case .hole(let hole): count += hole.discarded
      }
    }
    return count
  }

  // MARK: Cutting

  private mutating func cut(_ at: Timestamp) {
    while true {
      if skip > 0 {
        let count = min(skip, bytes.count)
        skip -= count
        discard(count, at)
        if skip > 0 { return }
      }
      if !isInStep, !search(at) { return }
      guard bytes.count >= TLSRecord.headerLength else { return }
      if isAtStart, let length = TLSRecordFramer.ssl2Length(bytes.bytes) {
        guard bytes.count >= length else { return }
        take(Header(type: TLSRecord.ssl2Hello, version: 2, length: length - TLSRecord.headerLength))
        continue
      }
      isAtStart = false
      guard let header = TLSRecordFramer.header(bytes.bytes, 0) else {
        isInStep = false
        addToHole(at) { $0.records = nil }
        continue
      }
      guard bytes.count >= TLSRecord.headerLength + header.length else { return }
      take(header)
    }
  }

  /// Queues the record that the header begins.
  private mutating func take(_ header: Header) {
    closeHole()
    isAtStart = false
    var (record, time) = bytes.take(TLSRecord.headerLength + header.length)
    record.moveReaderIndex(forwardBy: TLSRecord.headerLength)
    items.append(
      .record(TLSRecord(type: header.type, version: header.version, body: record, at: time)))
    queuedBytes += TLSRecord.headerLength + header.length
  }

  /// Looks for the next record; false when more bytes are needed to tell.
  private mutating func search(_ at: Timestamp) -> Bool {
    let buffer = bytes.bytes
    let view = buffer.readableBytesView
    var i = 0
    while i + TLSRecord.headerLength <= bytes.count {
      // Cheap first: four types of 256.
      if 20...23 ~= view[view.startIndex + i],
        let header = TLSRecordFramer.header(buffer, i), header.isCommon
      {
        let next = i + TLSRecord.headerLength + header.length
        guard next > bytes.count || !TLSRecordFramer.follows(buffer, next) else {
          discard(i, at)
          isInStep = true
          return true
        }
        if next > bytes.count {
          // It may be one: wait for its end.
          discard(i, at)
          return false
        }
      }
      i += 1
    }
    discard(i, at)
    return false
  }

  /// Whether a header, or as much of it as there is, stands at an offset.
  private static func follows(_ buffer: ByteBuffer, _ offset: Int) -> Bool {
    let left = buffer.readableBytes - offset
    if left >= TLSRecord.headerLength { return header(buffer, offset)?.isCommon == true }
    let start = buffer.readerIndex + offset
    if left > 0, let type = buffer.getInteger(at: start, as: UInt8.self) {
      guard 20...23 ~= type else { return false }
    }
    if left > 1, let major = buffer.getInteger(at: start + 1, as: UInt8.self) { return major == 3 }
    return true
  }

  private struct Header {
    let type: UInt8
    let version: UInt16
    let length: Int
    /// What is looked for behind a gap: of the common types and not empty.
    var isCommon: Bool { type <= 23 && version >= 0x0301 && length > 0 }
  }

  /// Reads a header; `nil` when it is none of SSL 3.0 to TLS 1.3.
  private static func header(_ buffer: ByteBuffer, _ offset: Int) -> Header? {
    guard
      let (type, version, length) = buffer.getMultipleIntegers(
        at: buffer.readerIndex + offset, as: (UInt8, UInt16, UInt16).self),
      20...24 ~= type, 0x0300...0x0304 ~= version, Int(length) <= bodyLimit
    else { return nil }
    return Header(type: type, version: version, length: Int(length))
  }

  /// The length of an SSL 2.0 ClientHello that offers SSL 3.0 or more: high bit and length, type 1, version.
  private static func ssl2Length(_ buffer: ByteBuffer) -> Int? {
    guard
      let (length, type, major) = buffer.getMultipleIntegers(
        at: buffer.readerIndex, as: (UInt16, UInt8, UInt8).self),
      length & 0x8000 != 0, type == 1, major == 3, length & 0x7fff > TLSRecord.headerLength
    else { return nil }
    return 2 + Int(length & 0x7fff)
  }

  // MARK: Holes

  private mutating func discard(_ count: Int, _ at: Timestamp) {
    guard count > 0 else { return }
    let (_, time) = bytes.take(count)
    addToHole(max(at, time)) {
      $0.bytes += count
      $0.discarded += count
    }
  }

  private mutating func addToHole(_ at: Timestamp, _ change: (inout Hole) -> Void) {
    var hole = hole ?? Hole(at: at)
    change(&hole)
    hole.at = max(hole.at, at)
    self.hole = hole
  }

  private mutating func closeHole() {
    guard let hole else { return }
    items.append(.hole(hole))
    self.hole = nil
  }
}
