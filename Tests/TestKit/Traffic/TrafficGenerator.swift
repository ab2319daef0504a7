public import NIOCore

/// Makes up a capture of MCP over HTTP: many sessions at a time on keep-alive connections, calls answered as JSON or as streams
/// of events, and streams that only listen. The same seed and shape make the same capture.
public struct TrafficGenerator {
  /// Bytes of the capture so far.
  public private(set) var bytes = 0
  /// Packets so far.
  public private(set) var packets = 0

  private let shape: TrafficShape
  private let seed: UInt64
  private let text: GeneratedText
  private var sessions: [(session: GeneratedSession, next: GeneratedConnection.Packet)] = []
  private var number = 0
  private var hasHeader = false

  /// 2026-01-01T00:00:00Z, the time of the first packets.
  private static let start: Int64 = 1_767_225_600_000_000_000

  /// Creates a generator.
  public init(_ shape: TrafficShape = TrafficShape(), seed: UInt64 = 1) {
    self.shape = shape
    self.seed = seed
    var noise = SeededGenerator(seed: seed)
    text = GeneratedText(&noise)
    for _ in 0..<shape.sessions {
      begin(at: TrafficGenerator.start + Int64.random(in: 0..<2_000_000_000, using: &noise))
    }
  }

  /// Appends the file header, then the next packets of a classic capture with microseconds, until `out` has `count` bytes.
  public mutating func write(_ count: Int, to out: inout ByteBuffer) {
    let before = out.readableBytes
    if !hasHeader {
      hasHeader = true
      for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1] as [UInt32] {
        out.writeInteger(word, endianness: .little)
      }
    }
    while out.readableBytes < count { writePacket(&out) }
    bytes += out.readableBytes - before
  }

  /// Writes the earliest packet of all sessions.
  private mutating func writePacket(_ out: inout ByteBuffer) {
    var first = 0
    for i in sessions.indices where sessions[i].next.at < sessions[first].next.at { first = i }
    let packet = sessions[first].next
    let length = UInt32(packet.frame.readableBytes)
    out.writeInteger(UInt32(packet.at / 1_000_000_000), endianness: .little)
    out.writeInteger(UInt32(packet.at % 1_000_000_000 / 1000), endianness: .little)
    out.writeInteger(length, endianness: .little)
    out.writeInteger(length, endianness: .little)
    out.writeImmutableBuffer(packet.frame)
    packets += 1
    if let next = sessions[first].session.next() {
      sessions[first].next = next
    } else {
      sessions.remove(at: first)
      begin(at: packet.at + 500_000)
    }
  }

  private mutating func begin(at: Int64) {
    number += 1
    var session = GeneratedSession(number: number, at: at, shape: shape, text: text, seed: seed)
    if let first = session.next() { sessions.append((session, first)) }
  }
}
