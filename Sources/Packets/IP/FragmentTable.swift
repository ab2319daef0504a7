import Basics
import NIOCore

/// Puts the pieces of IP datagrams together (RFC 791 §3.2, RFC 8200 §4.5).
///
/// Theory: pieces of one datagram share addresses, protocol and identification. The first copy of a byte wins. A whole
/// datagram becomes a frame of raw IP with a length of zero, which means "as long as the frame", so that it takes the
/// same way as any other; its time is that of the piece that completed it. Pieces that never meet are forgotten: if
/// they carried TCP, the stream shows a hole.
///
/// Invariant: `charge` is what all pieces cost; every datagram is in `order` once with its serial number.
struct FragmentTable {
  /// Bounds, as Suricata's and the kernel's: bytes of a datagram, pieces of one, bytes of all, and patience.
  static let datagramLimit = 65_535
  static let pieceLimit = 64
  static let totalLimit = 16 << 20
  static let patience: Int64 = 30_000_000_000

  private struct Key: Hashable {
    var source: IPAddress
    var destination: IPAddress
    var identification: UInt32
    var transport: UInt8
  }

  private struct Datagram {
    var serial: Int
    var pieces = HeldBlocks()
    var pieceCount = 0
    var covered = 0
    /// Length of the whole, once its last piece has told.
    var length: Int?

    mutating func hold(_ offset: Int, _ count: Int, _ bytes: ByteBuffer?, _ at: Timestamp) {
      let block = HeldBlocks.Block(offset: offset, count: count, bytes: bytes, at: at)
      let added = pieces.insert(block, offset..<offset + count).added
      covered += added
      if added > 0 { pieceCount += 1 }
    }
  }

  private struct Waiting {
    var key: Key
    var serial: Int
    var deadline: Timestamp
  }

  /// What a datagram is charged beyond its pieces.
  private static let overhead = 256

  private var datagrams: [Key: Datagram] = [:]
  private var order = CircularBuffer<Waiting>()
  private var charge = 0
  private var serial = 0

  /// When the oldest datagram is given up.
  var deadline: Timestamp? { order.first?.deadline }

  /// Takes a piece; returns the datagram as a frame when it is the one that was missing.
  mutating func insert(
    _ frame: borrowing CapturedFrame, _ ip: IPView, _ fragment: IPView.Fragment, now: Timestamp,
    _ counters: inout PacketCounters
  ) -> CapturedFrame? {
    let end = fragment.offset + ip.payloadLength
    guard end <= FragmentTable.datagramLimit else {
      counters.count(.oversizedDatagram)
      return nil
    }
    let key = Key(
      source: ip.source, destination: ip.destination, identification: fragment.identification,
      transport: ip.transport)
    var datagram = datagrams.removeValue(forKey: key) ?? begin(key, now)
    charge -= datagram.pieces.charge
    // Pieces that contradict what is known of the length are not used.
    if fragment.hasMore ? end <= datagram.length ?? .max : fits(datagram, end) {
      if !fragment.hasMore { datagram.length = end }
      add(frame, ip, at: fragment.offset, &datagram)
    } else {
      counters.count(.fragmentConflict)
    }
    if datagram.covered == datagram.length {
      charge -= FragmentTable.overhead
      return whole(datagram, ip, at: frame.at)
    }
    guard datagram.pieceCount <= FragmentTable.pieceLimit else {
      charge -= FragmentTable.overhead
      counters.count(.fragmentLimit)
      return nil
    }
    charge += datagram.pieces.charge
    datagrams[key] = datagram
    relieve(&counters)
    return nil
  }

  /// Whether a last piece that ends at `end` agrees with what is known.
  private func fits(_ datagram: Datagram, _ end: Int) -> Bool {
    datagram.length ?? end == end && datagram.pieces.end ?? 0 <= end
  }

  private mutating func begin(_ key: Key, _ now: Timestamp) -> Datagram {
    serial += 1
    charge += FragmentTable.overhead
    if order.count > 2 * datagrams.count + 1024 {
      var live = CircularBuffer<Waiting>()
      for waiting in order where datagrams[waiting.key]?.serial == waiting.serial {
        live.append(waiting)
      }
      order = live
    }
    order.append(
      Waiting(key: key, serial: serial, deadline: now + FragmentTable.patience))
    return Datagram(serial: serial)
  }

  /// Holds a piece; what a snap length cut off is known to exist.
  private func add(
    _ frame: borrowing CapturedFrame, _ ip: IPView, at offset: Int, _ datagram: inout Datagram
  ) {
    let captured = max(0, min(ip.payloadLength, frame.bytes.readableBytes - ip.payload))
    if captured > 0 {
      let bytes = frame.bytes.getSlice(
        at: frame.bytes.readerIndex + ip.payload, length: captured)
      datagram.hold(offset, captured, bytes, frame.at)
    }
    if captured < ip.payloadLength {
      datagram.hold(offset + captured, ip.payloadLength - captured, nil, frame.at)
    }
  }

  /// Writes a header that says no more than the walk needs, and the bytes up to the first that was not captured.
  private func whole(_ datagram: Datagram, _ ip: IPView, at: Timestamp) -> CapturedFrame {
    let length = datagram.length ?? 0
    var pieces = datagram.pieces
    var bytes = ByteBuffer()
    bytes.reserveCapacity(40 + length)
    if let (source, destination) = ip.ipv4Addresses {
      bytes.writeMultipleIntegers(
        UInt16(0x4500), UInt16(0), ip.identification, UInt16(0), UInt8(64), ip.transport,
        UInt16(0), source, destination)
    } else {
      bytes.writeMultipleIntegers(UInt32(0x6000_0000), UInt16(0), ip.transport, UInt8(64))
      bytes.writeMultipleIntegers(
        ip.source.high, ip.source.low, ip.destination.high, ip.destination.low)
    }
    let header = bytes.readableBytes
    while let piece = pieces.popFirst(), let part = piece.bytes { bytes.writeImmutableBuffer(part) }
    return CapturedFrame(
      bytes: bytes, originalLength: header + length, linkType: .raw, at: at)
  }

  // MARK: Patience

  /// Forgets datagrams that have waited too long.
  mutating func expire(_ now: Timestamp, _ counters: inout PacketCounters) {
    while let oldest = order.first, oldest.deadline < now { drop(oldest, &counters) }
  }

  /// Forgets all that is incomplete: the capture is over.
  mutating func finish(_ counters: inout PacketCounters) {
    while let oldest = order.first { drop(oldest, &counters) }
  }

  private mutating func relieve(_ counters: inout PacketCounters) {
    while charge > FragmentTable.totalLimit, let oldest = order.first {
      counters.count(.fragmentLimit)
      drop(oldest, &counters)
    }
  }

  private mutating func drop(_ oldest: Waiting, _ counters: inout PacketCounters) {
    order.removeFirst()
    guard let datagram = datagrams[oldest.key], datagram.serial == oldest.serial else { return }
    charge -= datagram.pieces.charge + FragmentTable.overhead
    datagrams[oldest.key] = nil
    counters.count(.fragmentsExpired)
  }
}
