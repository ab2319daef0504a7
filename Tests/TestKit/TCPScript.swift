public import Basics

/// A TCP segment as a test writes it; `PcapBuilder` makes a frame of it.
public struct TCPSegment: Sendable {
  /// The control bits of the header.
  public struct Flags: OptionSet, Sendable {
    /// Bits in the order of the header's octet 13.
    public let rawValue: UInt8
    /// Wraps the octet.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// No more data from the sender.
    public static let fin = Flags(rawValue: 1)
    /// Synchronise sequence numbers.
    public static let syn = Flags(rawValue: 2)
    /// Reset the connection.
    public static let rst = Flags(rawValue: 4)
    /// To be handed to the application at once.
    public static let psh = Flags(rawValue: 8)
    /// The acknowledgement number counts.
    public static let ack = Flags(rawValue: 16)
    /// The urgent pointer counts.
    public static let urg = Flags(rawValue: 32)
  }

  /// Who sends it.
  public var from: Endpoint
  /// Who gets it.
  public var to: Endpoint
  /// Number of the first payload byte, or of the SYN.
  public var sequence: UInt32
  /// Number of the next byte the sender wants.
  public var acknowledgement: UInt32
  /// The control bits.
  public var flags: Flags
  /// The payload.
  public var payload: [UInt8]
  /// When it is captured.
  public var at: Timestamp
  /// IPv4's number of the packet; senders give every packet another one, also when they send bytes again.
  public var identification: UInt16 = 0
  /// How many more routers it may pass.
  public var hopLimit: UInt8 = 64

  /// Describes a segment.
  public init(
    from: Endpoint, to: Endpoint, sequence: UInt32, acknowledgement: UInt32 = 0,
    flags: Flags = .ack, payload: [UInt8] = [], at: Timestamp
  ) {
    self.from = from
    self.to = to
    self.sequence = sequence
    self.acknowledgement = acknowledgement
    self.flags = flags
    self.payload = payload
    self.at = at
  }
}

/// Writes the segments of one connection as both ends would send them; a test then drops, repeats or moves some.
///
/// Every segment takes `step` of capture time; sequence numbers wrap as on the wire.
public struct TCPScript {
  /// Who dials.
  public let client: Endpoint
  /// What is dialled.
  public let server: Endpoint
  /// The time of the next segment.
  public var now: Timestamp
  /// Nanoseconds from one segment to the next.
  public var step: Int64 = 1_000_000
  /// All segments so far, in the order sent.
  public var segments: [TCPSegment] = []
  /// The sequence number of the client's next byte.
  public private(set) var clientNext: UInt32
  /// The sequence number of the server's next byte.
  public private(set) var serverNext: UInt32
  /// The IPv4 number of the next segment, whoever sends it.
  public var identification: UInt16 = 1

  /// Begins a connection that has sent nothing yet.
  public init(
    client: Endpoint = Endpoint(host: "10.0.0.1", port: 40_000),
    server: Endpoint = Endpoint(host: "10.0.0.2", port: 80), clientISN: UInt32 = 1000,
    serverISN: UInt32 = 5000, start: Timestamp = TCPScript.epoch
  ) {
    self.client = client
    self.server = server
    clientNext = clientISN
    serverNext = serverISN
    now = start
  }

  /// When scripts start unless told otherwise: 2026-01-01T00:00:00Z.
  public static let epoch = Timestamp(nanoseconds: 1_767_225_600_000_000_000)

  /// Sends SYN, SYN/ACK, ACK.
  public mutating func handshake() {
    add(.c2s, .syn, [])
    add(.s2c, [.syn, .ack], [])
    add(.c2s, .ack, [])
  }

  /// Sends text in one segment.
  public mutating func send(_ direction: Direction, _ text: String) {
    add(direction, .ack, Array(text.utf8))
  }

  /// Sends bytes in one segment.
  public mutating func send(_ direction: Direction, _ bytes: [UInt8]) {
    add(direction, .ack, bytes)
  }

  /// Sends an ACK of all that the other end has sent.
  public mutating func acknowledge(_ direction: Direction) { add(direction, .ack, []) }

  /// Sends a FIN.
  public mutating func finish(_ direction: Direction) { add(direction, [.fin, .ack], []) }

  /// Sends a RST.
  public mutating func reset(_ direction: Direction) { add(direction, [.rst, .ack], []) }

  /// Lets capture time pass.
  public mutating func wait(milliseconds: Int64) { now = now + milliseconds * 1_000_000 }

  /// Sends any segment at the present position.
  public mutating func add(
    _ direction: Direction, _ flags: TCPSegment.Flags, _ payload: [UInt8]
  ) {
    let isClient = direction == .c2s
    segments.append(
      TCPSegment(
        from: isClient ? client : server, to: isClient ? server : client,
        sequence: isClient ? clientNext : serverNext,
        acknowledgement: flags.contains(.ack) ? (isClient ? serverNext : clientNext) : 0,
        flags: flags, payload: payload, at: now))
    segments[segments.count - 1].identification = identification
    identification &+= 1
    let phantom: UInt32 = flags.isDisjoint(with: [.syn, .fin]) ? 0 : 1
    let length = UInt32(truncatingIfNeeded: payload.count) &+ phantom
    if isClient { clientNext &+= length } else { serverNext &+= length }
    now = now + step
  }
}
