import NIOCore

/// One TCP connection that is being made up: handshake, data in segments with their acknowledgements, close.
///
/// Frames are Ethernet, IPv4 and TCP with time stamps, as a capture on loopback shows them (checksums left to offload).
struct GeneratedConnection {
  /// A frame and its time, nanoseconds since the epoch.
  struct Packet {
    var at: Int64
    var frame: ByteBuffer
  }

  private(set) var packets: [Packet] = []
  /// The time of what is sent next.
  var now: Int64
  let port: Int

  private let clientPort: UInt16
  private let clientHost: UInt32
  private let segmentSize: Int
  private var sequence: [UInt32]
  private var unacknowledged = 0
  private var noise: SeededGenerator

  init(number: Int, at: Int64, mtu: Int, noise: SeededGenerator) {
    now = at
    port = 8000 + number % 4
    clientPort = UInt16(32_768 + number % 28_000)
    clientHost = 0x7f00_0001 | UInt32(truncatingIfNeeded: number / 28_000 + 1) << 8
    segmentSize = mtu - 52
    self.noise = noise
    // Numbers wrap on every hundredth connection.
    let isNearEnd = number % 100 == 7
    sequence = [
      isNearEnd ? 0xffff_ff00 : UInt32(truncatingIfNeeded: self.noise.next()),
      isNearEnd ? 0xffff_f000 : UInt32(truncatingIfNeeded: self.noise.next()),
    ]
  }

  /// Hands over the packets made so far.
  mutating func takePackets() -> [Packet] {
    defer { packets = [] }
    return packets
  }

  mutating func open() {
    control(0, flags: 2, after: 10)
    control(1, flags: 0x12, after: 15)
    control(0, flags: 0x10, after: 5)
  }

  mutating func close() {
    control(0, flags: 0x11, after: 30)
    control(1, flags: 0x11, after: 25)
    control(0, flags: 0x10, after: 5)
  }

  /// Sends bytes as one write of the application: 0 the client, 1 the server.
  mutating func send(_ side: Int, _ bytes: ByteBuffer, after microseconds: Int64) {
    wait(microseconds)
    var rest = bytes
    while rest.readableBytes > 0 {
      let part = rest.readSlice(length: min(segmentSize, rest.readableBytes)) ?? ByteBuffer()
      let isLast = rest.readableBytes == 0
      packets.append(Packet(at: now, frame: frame(side, flags: isLast ? 0x18 : 0x10, part)))
      sequence[side] &+= UInt32(part.readableBytes)
      unacknowledged += 1
      if isLast || unacknowledged >= 2 {
        unacknowledged = 0
        control(1 - side, flags: 0x10, after: 8)
      }
      now += 3000
    }
  }

  private mutating func control(_ side: Int, flags: UInt8, after microseconds: Int64) {
    wait(microseconds)
    packets.append(Packet(at: now, frame: frame(side, flags: flags, ByteBuffer())))
    if flags & 3 != 0 { sequence[side] &+= 1 }
  }

  /// Lets half to one and a half of the time pass.
  private mutating func wait(_ microseconds: Int64) {
    now += microseconds * 500 + Int64.random(in: 0...microseconds * 1000, using: &noise)
  }

  private func frame(_ side: Int, flags: UInt8, _ payload: ByteBuffer) -> ByteBuffer {
    let isSYN = flags & 2 != 0
    let headerLength = isSYN ? 40 : 32
    var out = ByteBuffer()
    out.reserveCapacity(34 + headerLength + payload.readableBytes)
    out.writeRepeatingByte(0, count: 12)
    out.writeInteger(UInt16(0x0800))
    out.writeInteger(UInt16(0x4500))
    out.writeInteger(UInt16(20 + headerLength + payload.readableBytes))
    out.writeInteger(UInt32(truncatingIfNeeded: packets.count) << 16 | 0x4000)
    out.writeInteger(UInt32(0x4006_0000))
    let hosts = [clientHost, 0x7f00_0001]
    out.writeInteger(hosts[side])
    out.writeInteger(hosts[1 - side])
    let ports = [clientPort, UInt16(port)]
    out.writeInteger(ports[side])
    out.writeInteger(ports[1 - side])
    out.writeInteger(sequence[side])
    out.writeInteger(flags & 16 != 0 ? sequence[1 - side] : 0)
    out.writeInteger(UInt8(headerLength << 2))
    out.writeInteger(flags)
    out.writeInteger(UInt16(512))
    out.writeInteger(UInt32(0))
    if isSYN { out.writeBytes([2, 4, 0xff, 0xd7, 1, 3, 3, 7]) }
    out.writeBytes([1, 1, 8, 10])
    let clock = UInt32(truncatingIfNeeded: now / 1_000_000)
    out.writeInteger(clock)
    out.writeInteger(clock)
    out.writeImmutableBuffer(payload)
    return out
  }
}
