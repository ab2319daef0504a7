public import NIOCore

/// Which way bytes travel on a connection.
public enum Direction: UInt8, Hashable, Sendable {
  /// From the client (who dialled) to the server.
  case c2s
  /// From the server to the client.
  case s2c

  /// The other way.
  @inlinable
  public var reversed: Direction { self == .c2s ? .s2c : .c2s }

  /// The name in a trace: `c2s` or `s2c`.
  public var name: String { self == .c2s ? "c2s" : "s2c" }
}

/// One transport connection of a recording, numbered from 1 in order of first sight.
public struct FlowID: Hashable, Comparable, Sendable {
  /// The `conn` of the trace.
  public let number: Int

  /// Creates the identity of connection `number`.
  @inlinable
  public init(_ number: Int) { self.number = number }

  /// Orders flows by number.
  @inlinable
  public static func < (a: FlowID, b: FlowID) -> Bool { a.number < b.number }
}

/// An address as the trace writes it, `ip:port` (IPv6 in brackets) or `unix:/path`.
public struct Endpoint: Hashable, Sendable {
  /// Numeric address without brackets, the path of a Unix socket, `stdio` for a process; empty where there is none (the
  /// client of a Unix socket).
  public let host: String
  /// TCP port, 0 where there is none; of a process its number.
  public let port: Int

  /// Creates an endpoint from a numeric address and a port.
  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
}

extension Endpoint: CustomStringConvertible {
  /// `127.0.0.1:80`, `[::1]:80` or `unix:/run/mcp.sock`.
  public var description: String {
    if host.utf8.contains(0x2f) { return "unix:\(host)" }
    return host.utf8.contains(0x3a) ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

/// The two ends of a flow as far as they are known when it opens.
public struct FlowEnds: Hashable, Sendable {
  /// Who dialled.
  public var client: Endpoint
  /// What the client dialled.
  public var server: Endpoint
  /// Where a proxy forwards to, when that is another address.
  public var upstream: Endpoint?
  /// False when the recording began in the middle of the connection.
  public var seenFromStart: Bool
  /// True for the standard input and output of a process.
  public var isStdio = false

  /// Describes a flow.
  public init(
    client: Endpoint, server: Endpoint, upstream: Endpoint? = nil, seenFromStart: Bool = true
  ) {
    self.client = client
    self.server = server
    self.upstream = upstream
    self.seenFromStart = seenFromStart
  }

  /// Describes the standard input and output of a process; "ports" are the numbers of both processes.
  public init(process: Int, of client: Int) {
    self.init(
      client: Endpoint(host: "stdio", port: client), server: Endpoint(host: "stdio", port: process))
    isStdio = true
  }
}

/// How one direction of a flow ended.
public enum FlowEnding: String, Hashable, Sendable {
  /// Orderly: FIN, or a read of zero bytes.
  case fin
  /// RST; the sender of this direction gave the connection up.
  case reset = "rst"
  /// Nothing was seen of it for too long.
  case idle
  /// The recording ended first.
  case captureEnd = "capture-end"
}

/// What every source (proxy tap, capture file, live capture) says of a flow, in capture order.
///
/// Loss is an input: `gap` stands for `count` bytes of the stream that nobody saw. Within a direction the
/// order is that of the stream; across directions there is none (a capture may hold the answer first).
public enum FlowEvent: Sendable {
  /// A connection appears.
  indirect case opened(FlowID, FlowEnds, at: Timestamp)
  /// The next bytes of a direction; `at` is the capture time of the packet or read that first brought them.
  case bytes(FlowID, Direction, ByteBuffer, at: Timestamp)
  /// `count` bytes of a direction were lost to the recording (never to the traffic).
  case gap(FlowID, Direction, count: Int, at: Timestamp)
  /// A direction is over; a reset is said once for each direction.
  case ended(FlowID, Direction, FlowEnding, at: Timestamp)
}
