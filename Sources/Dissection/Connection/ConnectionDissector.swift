import Basics
import NIOCore
import Trace

/// One transport connection: counts its bytes, notes its holes and ends, and has its content dissected.
final class ConnectionDissector {
  let openedAt: Timestamp
  /// Payload bytes seen, by direction.
  private(set) var bytesC2S = 0
  private(set) var bytesS2C = 0
  /// Ends of the directions.
  private(set) var streamEnds = StreamEnds()

  /// The owner's mark of when bytes came last.
  var turn = 0

  private let context: ConnectionContext
  /// Not there before the first byte: most of a flood of connections never say anything.
  private var content: ContentDissector?

  init(_ context: ConnectionContext, at: Timestamp) {
    self.context = context
    openedAt = at
  }

  var flow: FlowID { context.flow }
  var ends: FlowEnds { context.ends }
  /// What it turned out to carry.
  var carries: ConnectionLine.Content? {
    content?.carries ?? (context.ends.isStdio ? .stdio : nil)
  }

  /// `{version, sni, alpn}` where it is TLS.
  var tls: JSONValue? { content?.tls }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    if direction == .c2s {
      bytesC2S += bytes.readableBytes
    } else {
      bytesS2C += bytes.readableBytes
    }
    context.ledger.bytesIn += bytes.readableBytes
    dissector().append(direction, bytes, at: at)
  }

  /// Takes a hole in a direction.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    context.ledger.bytesIn += count
    context.lose(context.options.gapKind, bytes: count, at: at)
    dissector().gap(direction, count, at: at)
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    streamEnds.note(direction, how, at: at)
    dissector().end(direction, how, at: at)
  }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  func own() { content?.own() }

  /// Forgets what only makes reading faster: it fell silent.
  func rest() { content?.rest() }

  /// What dissects the bytes.
  private func dissector() -> ContentDissector {
    if let content { return content }
    let new = ContentDissector(context, fromStart: context.ends.seenFromStart)
    content = new
    return new
  }
}
