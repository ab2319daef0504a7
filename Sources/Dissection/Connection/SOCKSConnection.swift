import Basics
import NIOCore
import Trace
import Wire

/// A connection through a SOCKS proxy: its handshake is explained, what follows is another dissector's.
final class SOCKSConnection {
  private struct Side {
    var handshake: SOCKSHandshake
    var begin = ByteBuffer()
    var isOver = false
  }

  private let context: ConnectionContext
  private let content: ContentDissector
  private var client = Side(handshake: SOCKSHandshake(role: .client))
  private var server = Side(handshake: SOCKSHandshake(role: .server))

  /// What the connection behind the proxy carries.
  var carries: ConnectionLine.Content? { content.carries }

  init(_ context: ConnectionContext, layer: Int) {
    self.context = context
    content = ContentDissector(context, fromStart: true, layer: layer + 1)
  }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    if let rest = take(direction == .c2s ? \.client : \.server, bytes) {
      content.append(direction, rest, at: at)
    }
  }

  /// Takes a hole in a direction; a handshake with one is given up as over.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    giveUp(direction)
    content.gap(direction, count, at: at)
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    giveUp(direction)
    content.end(direction, how, at: at)
  }

  /// Forgets what only makes reading faster: it fell silent.
  func rest() { content.rest() }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  func own() { content.own() }

  private func take(
    _ side: ReferenceWritableKeyPath<SOCKSConnection, Side>, _ bytes: ByteBuffer
  ) -> ByteBuffer? {
    if self[keyPath: side].isOver { return bytes }
    self[keyPath: side].begin.writeImmutableBuffer(bytes)
    var begin = self[keyPath: side].begin
    switch self[keyPath: side].handshake.progress(begin) {
    case .more: return nil
    case .none: content.refuseSOCKS()
    case .over(let length):
      context.explain(length)
      begin.moveReaderIndex(forwardBy: length)
    }
    self[keyPath: side].isOver = true
    self[keyPath: side].begin = ByteBuffer()
    return begin.readableBytes > 0 ? begin : nil
  }

  /// What is there of a handshake that never ends is part of it.
  private func giveUp(_ direction: Direction) {
    let side: ReferenceWritableKeyPath<SOCKSConnection, Side> =
      direction == .c2s ? \.client : \.server
    guard !self[keyPath: side].isOver else { return }
    content.refuseSOCKS()
    context.explain(self[keyPath: side].begin.readableBytes)
    self[keyPath: side].isOver = true
    self[keyPath: side].begin = ByteBuffer()
  }
}
