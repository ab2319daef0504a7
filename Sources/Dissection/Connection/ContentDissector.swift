import Basics
import NIOCore
import Trace
import Wire

/// Dissects a pair of byte streams: looks at their first bytes and decides what they carry.
///
/// Theory (mitmproxy's NextLayer): bytes are held until the protocol is known, then played into the chosen decoder. The
/// streams are a connection's own, or what another layer carries (a tunnel, a cipher): such a layer owns a dissector for
/// its content, and counts what it adds itself. Gaps were counted where they were found.
/// States: sniffing → http1 | http2 | tls | socks | opaque; lines where the source says that it is a process. What is opaque is counted by name, never parsed again.
final class ContentDissector {
  /// What it turned out to be.
  var carries: ConnectionLine.Content? {
    switch mode {
    case .tls(let connection): connection.carries
    case .socks(let connection): connection.carries
    default: found
    }
  }
  /// `{version, sni, alpn}` where it is TLS.
  var tls: JSONValue? {
    if case .tls(let connection) = mode { connection.facts } else { nil }
  }

  private enum Mode {
    case sniffing
    case http1(HTTP1Connection)
    case http2(HTTP2Connection)
    case tls(TLSConnection)
    case socks(SOCKSConnection)
    case lines(LineConnection)
    case opaque(kind: String)
  }

  private enum Held {
    case bytes(Direction, ByteBuffer, Timestamp)
    case gap(Direction, Int, Timestamp)
    case end(Direction, FlowEnding, Timestamp)
  }

  /// Most bytes held while the protocol is unknown.
  private static let sniffLimit = 64 << 10
  /// Most layers that carry one another (Suricata's and Zeek's limit for packets).
  private static let layerLimit = 16

  private let context: ConnectionContext
  private var fromStart: Bool
  private var found: ConnectionLine.Content?
  /// What is counted where nothing is recognised.
  private let unknown: String
  /// The exchange that HTTP/2 answers as its first.
  private let upgraded: HTTPExchange?
  /// Number of the layer, from the connection's own.
  private let layer: Int
  private var mayBeSOCKS = true
  private var mode = Mode.sniffing
  private var ends = StreamEnds()
  private var held: [Held] = []
  private var heldBytes = 0
  private var opaqueBytes = 0

  /// Creates a dissector; `fromStart` is false where the streams were joined in the middle.
  init(_ context: ConnectionContext, fromStart: Bool, layer: Int = 1) {
    self.context = context
    self.fromStart = fromStart
    self.layer = layer
    unknown = "unknown"
    upgraded = nil
    if context.ends.isStdio {
      mode = .lines(LineConnection(context))
      found = .stdio
    }
    limitLayers()
  }

  /// Creates a dissector for what follows an accepted CONNECT (no name) or an upgrade to the protocol of that name.
  init(
    _ context: ConnectionContext, upgrading exchange: HTTPExchange, to name: String, layer: Int
  ) {
    self.context = context
    self.layer = layer
    fromStart = true
    unknown = "http.tunnel"
    upgraded = name == "h2c" ? exchange : nil
    if name == "websocket" { mode = .opaque(kind: "http.websocket") }
    limitLayers()
  }

  /// A tunnel in a tunnel in a tunnel may go on without end.
  private func limitLayers() {
    if layer > ContentDissector.layerLimit { mode = .opaque(kind: "limit.stream_layers") }
  }

  /// Says that a handshake with a SOCKS proxy was looked for in these bytes, and is not there.
  func refuseSOCKS() { mayBeSOCKS = false }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    switch mode {
    case .sniffing:
      held.append(.bytes(direction, bytes, at))
      heldBytes += bytes.readableBytes
      sniff(at)
    case .http1(let connection): connection.append(direction, bytes, at: at)
    case .http2(let connection): connection.append(direction, bytes, at: at)
    case .tls(let connection): connection.append(direction, bytes, at: at)
    case .socks(let connection): connection.append(direction, bytes, at: at)
    case .lines(let connection): connection.append(direction, bytes, at: at)
    case .opaque: opaqueBytes += bytes.readableBytes
    }
  }

  /// Takes a hole in a direction.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    switch mode {
    case .sniffing: hold(gap: count, direction, at)
    case .http1(let connection): connection.gap(direction, count, at: at)
    case .http2(let connection): connection.gap(direction, count, at: at)
    case .tls(let connection): connection.gap(direction, count, at: at)
    case .socks(let connection): connection.gap(direction, count, at: at)
    case .lines(let connection): connection.gap(direction, at: at)
    case .opaque: break
    }
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    ends.note(direction, how, at: at)
    switch mode {
    case .sniffing where ends.areBoth: becomeOpaque(unknown)
    case .sniffing: held.append(.end(direction, how, at))
    case .http1(let connection): connection.end(direction, how, at: at)
    case .http2(let connection): connection.end(direction, how, at: at)
    case .tls(let connection): connection.end(direction, how, at: at)
    case .socks(let connection): connection.end(direction, how, at: at)
    case .lines(let connection): connection.end(direction, how, at: at)
    case .opaque: break
    }
    if ends.areBoth, case .opaque(let kind) = mode, opaqueBytes > 0 {
      context.lose(kind, bytes: opaqueBytes, at: at)
      opaqueBytes = 0
    }
  }

  /// Forgets what only makes reading faster: it fell silent.
  func rest() {
    switch mode {
    case .http1(let connection): connection.rest()
    case .tls(let connection): connection.rest()
    case .socks(let connection): connection.rest()
    case .sniffing, .http2, .lines, .opaque: break
    }
  }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  func own() {
    switch mode {
    case .sniffing:
      for i in held.indices {
        guard case .bytes(let direction, var bytes, let at) = held[i] else { continue }
        bytes.own()
        held[i] = .bytes(direction, bytes, at)
      }
    case .http1(let connection): connection.own()
    case .http2(let connection): connection.own()
    case .tls(let connection): connection.own()
    case .socks(let connection): connection.own()
    case .lines(let connection): connection.own()
    case .opaque: break
    }
  }

  // MARK: What it carries

  /// Either side's first bytes may tell; when one side's say nothing the other's are waited for.
  private func sniff(_ at: Timestamp) {
    if fromStart, mayBeSOCKS, SOCKSHandshake.begins(firstBytes(of: .c2s)) {
      mode = .socks(SOCKSConnection(context, layer: layer))
      play()
      return
    }
    let guesses = [Direction.c2s, .s2c].map {
      SniffedProtocol(firstBytes: firstBytes(of: $0), midstream: !fromStart)
    }
    let isHTTP1 = guesses.contains(.http1) || (!fromStart && holdsHTTP1)
    if isHTTP1 {
      let connection = HTTP1Connection(context, fromStart: fromStart, layer: layer)
      mode = .http1(connection)
      found = .http1
      play()
    } else if guesses.contains(.http2) {
      mode = .http2(HTTP2Connection(context, fromStart: fromStart, upgraded: upgraded))
      found = .h2
      play()
    } else if guesses.contains(.tls) {
      mode = .tls(TLSConnection(context, fromStart: fromStart, layer: layer))
      play()
    } else if fromStart, guesses.contains(.unknown), beginsWithHole {
      // What is there begins in the middle of something.
      fromStart = false
      sniff(at)
    } else if guesses == [.unknown, .unknown] || heldBytes > ContentDissector.sniffLimit {
      becomeOpaque(unknown)
    } else if guesses.contains(.unknown), !fromStart {
      // Joined in the middle: this may be the rest of a body; a later segment may begin a message.
      dropHeld(at)
    }
  }

  /// Holds a hole; holes in a row are one, so that a capture of headers alone does not gather them.
  private func hold(gap count: Int, _ direction: Direction, _ at: Timestamp) {
    for i in held.indices.reversed() {
      guard case .gap(let other, let before, _) = held[i] else { break }
      guard other == direction else { continue }
      held[i] = .gap(direction, before + count, at)
      return
    }
    held.append(.gap(direction, count, at))
  }

  /// Gives what was held to the decoder that was chosen.
  private func play() {
    let all = held
    held = []
    heldBytes = 0
    for piece in all {
      switch piece {
      case .bytes(let direction, let bytes, let at): append(direction, bytes, at: at)
      case .gap(let direction, let count, let at): gap(direction, count, at: at)
      case .end(let direction, let how, let at): end(direction, how, at: at)
      }
    }
  }

  /// Whether a message begins in the middle of what was held.
  private var holdsHTTP1: Bool {
    held.contains {
      guard case .bytes(let direction, let bytes, _) = $0 else { return false }
      return HTTP1Decoder.holdsMessage(bytes, direction == .c2s ? .request : .response)
    }
  }

  /// Whether the first bytes of a direction are missing.
  private var beginsWithHole: Bool {
    [Direction.c2s, .s2c].contains { wanted in
      let first = held.first {
        switch $0 {
        case .bytes(let direction, _, _), .gap(let direction, _, _), .end(let direction, _, _):
          direction == wanted
        }
      }
      return if case .gap = first { true } else { false }
    }
  }

  private func firstBytes(of wanted: Direction) -> ByteBuffer {
    var first = ByteBuffer()
    for case .bytes(let direction, let bytes, _) in held where direction == wanted {
      first.writeImmutableBuffer(bytes)
      if first.readableBytes >= 24 { break }
    }
    return first
  }

  private func dropHeld(_ at: Timestamp) {
    held.removeAll { if case .end = $0 { false } else { true } }
    context.lose(HTTP1Decoder.SkipReason.midstream.rawValue, bytes: heldBytes, at: at)
    heldBytes = 0
  }

  private func becomeOpaque(_ kind: String) {
    mode = .opaque(kind: kind)
    found = .opaque
    opaqueBytes += heldBytes
    held = []
    heldBytes = 0
  }
}
