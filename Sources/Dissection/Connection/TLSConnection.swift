import Basics
import NIOCore
import Trace
import Wire

/// Dissects a connection that carries TLS: decrypts it, and has what it carries dissected as any other content.
///
/// Its protocol's bytes are explained here; those of the plaintext where it is understood; what can't be decrypted is lost
/// by name, once for each reason when the connection is over.
final class TLSConnection {
  private let context: ConnectionContext
  private let content: ContentDissector
  private var decoder: TLSDecoder
  private var ends = StreamEnds()
  private var lost: [TLSLoss: Int] = [:]
  private var order: [TLSLoss] = []

  /// Creates the state of a connection; `fromStart` is false where it was joined in the middle.
  init(_ context: ConnectionContext, fromStart: Bool, layer: Int) {
    self.context = context
    content = ContentDissector(context, fromStart: true, layer: layer + 1)
    decoder = TLSDecoder(keyLog: context.options.keyLog, fromStart: fromStart)
  }

  /// What the plaintext turned out to be.
  var carries: ConnectionLine.Content { content.carries ?? .opaque }

  /// `{version, sni, alpn}` as far as they were seen. What is encrypted is told by what the client offered.
  var facts: JSONValue? {
    let facts = decoder.facts
    var members: [JSONValue.Member] = []
    if let version = facts.version { members.append(.init("version", .string(version.name))) }
    if let name = facts.serverName { members.append(.init("sni", .string(name))) }
    let offered = facts.offeredProtocols.isEmpty ? nil : facts.offeredProtocols
    let hidesProtocol = facts.version.map { $0 >= .tls13 } ?? true
    if let name = facts.applicationProtocol {
      members.append(.init("alpn", .string(name)))
    } else if hidesProtocol, let offered {
      members.append(.init("alpn", .string(offered.joined(separator: ","))))
    }
    return members.isEmpty ? nil : .object(members)
  }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    decoder.append(direction, bytes, at: at)
    drain()
  }

  /// Takes a hole in a direction.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    decoder.gap(direction, count, at: at)
    drain()
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    ends.note(direction, how, at: at)
    decoder.end(direction, how, at: at)
    drain()
    guard ends.areBoth else { return }
    for loss in order { context.lose(loss.name, bytes: lost[loss] ?? 0, at: at) }
    order = []
  }

  /// Forgets what only makes reading faster: it fell silent.
  func rest() { content.rest() }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  func own() {
    decoder.own()
    content.own()
  }

  private func drain() {
    let before = decoder.explained
    while let event = decoder.next() {
      switch event {
      case .bytes(let direction, let bytes, let at): content.append(direction, bytes, at: at)
      case .gap(let direction, let count, let at): content.gap(direction, count, at: at)
      case .end(let direction, let how, let at): content.end(direction, how, at: at)
      case .alert(let description, let at):
        context.note("tls.alert[\(description)]", at: at)
      case .resynced(_, let at): context.note("tls.resynced", at: at)
      case .lost(let loss, let bytes, _):
        if lost[loss] == nil { order.append(loss) }
        lost[loss, default: 0] += bytes
      }
    }
    context.explain(decoder.explained - before)
  }
}
