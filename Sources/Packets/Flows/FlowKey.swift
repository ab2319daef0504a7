import Basics

/// One end of a connection as the addresses order them; says nothing about who dialled.
enum Side: UInt8 {
  case low
  case high

  var other: Side { self == .low ? .high : .low }
}

/// The two endpoints of a connection, in the order of their addresses.
struct FlowKey: Equatable {
  var low: IPAddress
  var high: IPAddress
  var lowPort: UInt16
  var highPort: UInt16

  /// Returns the key of a packet's connection and the end that sent it.
  @inline(__always)
  static func of(_ ip: IPView, _ tcp: TCPView) -> (FlowKey, Side) {
    let isLow =
      ip.source == ip.destination
      ? tcp.sourcePort <= tcp.destinationPort : ip.source < ip.destination
    return isLow
      ? (
        FlowKey(
          low: ip.source, high: ip.destination, lowPort: tcp.sourcePort,
          highPort: tcp.destinationPort), .low
      )
      : (
        FlowKey(
          low: ip.destination, high: ip.source, lowPort: tcp.destinationPort,
          highPort: tcp.sourcePort), .high
      )
  }

  func port(_ side: Side) -> UInt16 { side == .low ? lowPort : highPort }

  func endpoint(_ side: Side) -> Endpoint {
    Endpoint(host: (side == .low ? low : high).description, port: Int(port(side)))
  }
}

/// Random numbers that a capture's author can't know, so that no traffic can be made to collide in a table.
struct HashSeed {
  private var words: (UInt64, UInt64, UInt64, UInt64, UInt64)

  init() {
    var random = SystemRandomNumberGenerator()
    words = (
      random.next() | 1, random.next() | 1, random.next() | 1, random.next() | 1, random.next() | 1
    )
  }

  /// Mixes a key by folded multiplication (as wyhash does): about ten times as fast as SipHash.
  @inline(__always)
  func hash(_ key: FlowKey) -> UInt64 {
    let ports = UInt64(key.lowPort) << 16 | UInt64(key.highPort)
    return fold(
      fold(key.low.low ^ words.0, key.high.low ^ words.1)
        ^ fold(key.low.high ^ words.2, key.high.high ^ words.3),
      ports ^ words.4)
  }

  @inline(__always)
  func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  /// The `i`th multiplier of a sum.
  @inline(__always)
  subscript(i: Int) -> UInt64 {
    switch i & 3 {
    case 0: words.0
    case 1: words.1
    case 2: words.2
    default: words.3
    }
  }
}
