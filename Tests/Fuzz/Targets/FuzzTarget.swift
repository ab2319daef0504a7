import Basics
public import NIOCore

/// What can be fuzzed. Each target takes any bytes, and traps where they break a promise of the code.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// A capture file of any format.
  case capture
  /// Frames of every link type, through IP and TCP to flows.
  case packets
  /// One direction of an HTTP/1 connection.
  case http1
  /// One direction of an HTTP/2 connection.
  case http2
  /// Both directions of a TLS connection, with its secrets.
  case tls
  /// An event stream.
  case sse
  /// One JSON text, seen as JSON-RPC.
  case jsonrpc
  /// A connection of two directions, up to the trace.
  case dissection
  /// The lines of a trace.
  case trace

  /// Runs the target on one input.
  public func run(_ input: ByteBuffer) {
    switch self {
    case .capture: fuzzCapture(input)
    case .packets: fuzzPackets(input)
    case .http1: fuzzHTTP1(input)
    case .http2: fuzzHTTP2(input)
    case .tls: fuzzTLS(input)
    case .sse: fuzzSSE(input)
    case .jsonrpc: fuzzJSONRPC(input)
    case .dissection: fuzzDissection(input)
    case .trace: fuzzTrace(input)
    }
  }
}

/// Cuts `input` into pieces of lengths that depend on its content alone, so that an input always runs the same way.
func pieces(of input: ByteBuffer) -> [ByteBuffer] {
  var rest = input
  var state: UInt64 = 0x9e37_79b9_7f4a_7c15
  for byte in input.readableBytesView.prefix(64) {
    state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
  }
  var pieces: [ByteBuffer] = []
  while rest.readableBytes > 0 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let limit = state >> 63 == 0 ? 5 : 1 + input.readableBytes / 2
    let length = 1 + Int(state >> 33) % limit
    pieces.append(rest.readSlice(length: min(length, rest.readableBytes)) ?? ByteBuffer())
  }
  return pieces
}

/// Stops the run: the code broke `promise`.
func require(_ holds: Bool, _ promise: String) {
  if !holds { fatalError("broken: \(promise)") }
}

/// The time of the `i`th thing that happens.
func moment(_ i: Int) -> Timestamp { Timestamp(nanoseconds: Int64(i) * 1_000_000) }
