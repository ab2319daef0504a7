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
