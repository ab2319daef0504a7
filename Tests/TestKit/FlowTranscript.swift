public import Basics
import NIOCore
public import Packets

/// What a `FlowTable` says of some frames, as lines that a test can compare.
///
/// Lines: `1 opened 10.0.0.1:40000 > 10.0.0.2:80` (`~>` when not seen from the start), `1 c2s "text" @3`,
/// `1 s2c gap 5`, `1 c2s ended fin`; after `@`, milliseconds since the script's start.
public struct FlowTranscript: Sendable {
  /// One line an event, in order.
  public var lines: [String] = []
  /// The bytes of each direction, without gaps.
  public var streams: [FlowID: [Direction: [UInt8]]] = [:]
  /// The bytes lost in each direction.
  public var gaps: [FlowID: [Direction: Int]] = [:]
  /// The table's counters at the end.
  public var counters = PacketCounters()

  /// Runs frames through a table, to the end of the capture.
  public init(_ frames: [CapturedFrame], limits: FlowLimits = .default) {
    var table = FlowTable(limits: limits)
    for frame in frames {
      table.append(frame)
      while let event = table.next() { note(event) }
    }
    table.finish()
    while let event = table.next() { note(event) }
    counters = table.counters
  }

  /// Runs a script's segments through a table as Ethernet frames.
  public init(_ segments: [TCPSegment], limits: FlowLimits = .default) {
    self.init(PcapBuilder().frames(segments), limits: limits)
  }

  /// The counters of packets, payload bytes and events as one text: `tcp.data 2, tcp.control 3; ...`.
  public var counts: String {
    let packets = counters.packets.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
    let bytes = counters.payloadBytes.map { "\($0.name) \($0.bytes)" }.joined(separator: ", ")
    let events = counters.events.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
    return "\(packets); \(bytes); \(events)"
  }

  /// Whether every packet and byte that came in has a class.
  public var isBalanced: Bool {
    let packets = counters.packets.reduce(0) { $0 + $1.count }
    let bytes = counters.payloadBytes.reduce(0) { $0 + $1.bytes }
    return packets == counters.packetsIn && bytes == counters.payloadBytesIn
  }

  private mutating func note(_ event: FlowEvent) {
    switch event {
    case .opened(let id, let ends, _):
      let arrow = ends.seenFromStart ? ">" : "~>"
      lines.append("\(id.number) opened \(ends.client) \(arrow) \(ends.server)")
    case .bytes(let id, let direction, let bytes, let time):
      let milliseconds = (time - TCPScript.epoch) / 1_000_000
      lines.append(
        "\(id.number) \(direction.name) \"\(String(buffer: bytes))\" @\(milliseconds)")
      streams[id, default: [:]][direction, default: []] += bytes.readableBytesView
    case .gap(let id, let direction, let count, _):
      lines.append("\(id.number) \(direction.name) gap \(count)")
      gaps[id, default: [:]][direction, default: 0] += count
    case .ended(let id, let direction, let how, _):
      lines.append("\(id.number) \(direction.name) ended \(how.rawValue)")
    }
  }
}
