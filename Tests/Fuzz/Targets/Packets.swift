import Basics
import NIOCore
import Packets

/// Reads frames out of the input: link type, milliseconds since the last, length, bytes.
func fuzzPackets(_ input: ByteBuffer) {
  var rest = input
  var table = FlowTable()
  var now: Int64 = 0
  var open: [FlowID: Int] = [:]
  func check(_ event: FlowEvent) {
    switch event {
    case .opened(let id, _, _):
      require(open[id] == nil, "a flow opens once")
      open[id] = 0
    case .bytes(let id, _, _, _), .gap(let id, _, _, _):
      require(open[id] != nil, "a flow opens before it speaks")
    case .ended(let id, _, _, _):
      open[id, default: 2] += 1
      require((open[id] ?? 3) <= 2, "a flow ends once each way")
    }
  }
  while let kind = rest.readInteger(as: UInt8.self),
    let wait = rest.readInteger(as: UInt8.self),
    let length = rest.readInteger(as: UInt8.self)
  {
    let bytes = rest.readSlice(length: min(Int(length), rest.readableBytes)) ?? ByteBuffer()
    now += Int64(wait) * (kind & 0x80 == 0 ? 1_000_000 : 1_000_000_000)
    let linkTypes = [0, 1, 9, 12, 50, 51, 101, 104, 108, 113, 228, 229, 239, 276]
    table.append(
      CapturedFrame(
        bytes: bytes, originalLength: bytes.readableBytes + Int(kind >> 6) * 100,
        linkType: LinkType(linkTypes[Int(kind & 0x3f) % linkTypes.count]),
        at: Timestamp(nanoseconds: now)))
    while let event = table.next() { check(event) }
    requireBalance(table.counters)
  }
  table.finish()
  while let event = table.next() { check(event) }
  requireBalance(table.counters)
  require(open.values.allSatisfy { $0 == 2 }, "every flow ends both ways")
}

private func requireBalance(_ counters: PacketCounters) {
  let packets = counters.packets.reduce(0) { $0 + $1.count }
  require(packets == counters.packetsIn, "every packet has a class")
  let bytes = counters.payloadBytes.reduce(0) { $0 + $1.bytes }
  require(bytes == counters.payloadBytesIn, "every payload byte has a class")
}
