import Basics
import NIOCore
import Trace
import Wire

/// The standard input and output of a stdio server: a JSON-RPC message a line, each way.
///
/// What is no message (servers print to standard output by mistake) is counted by name; empty lines are explained.
final class LineConnection {
  private let context: ConnectionContext
  private var client = LineDecoder()
  private var server = LineDecoder()
  /// Who ended first: the client closed the input, or the process ended.
  private var endedFirst: ResponseLine.EndedBy?

  init(_ context: ConnectionContext) { self.context = context }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    edit(direction) { $0.append(bytes, at: at) }
    drain(direction)
  }

  /// Takes a hole in a direction.
  func gap(_ direction: Direction, at: Timestamp) { edit(direction) { $0.gap() } }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    edit(direction) { $0.end() }
    drain(direction)
    let by: ResponseLine.EndedBy =
      how == .captureEnd ? .capture : direction == .c2s ? .client : .server
    // The process may still answer what it was asked before its input was closed.
    guard let first = endedFirst else {
      endedFirst = by
      if direction == .c2s { return }
      return context.shared.append(.linesEnded(conn: context.flow.number, by: by, at: at))
    }
    if direction == .s2c {
      context.shared.append(.linesEnded(conn: context.flow.number, by: first, at: at))
    }
  }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  func own() {
    client.own()
    server.own()
  }

  private func edit(_ direction: Direction, _ change: (inout LineDecoder) -> Void) {
    if direction == .c2s { change(&client) } else { change(&server) }
  }

  private func drain(_ direction: Direction) {
    while let event = direction == .c2s ? client.next() : server.next() {
      switch event {
      case .skipped(let bytes, let reason, let at):
        context.lose(reason.rawValue, bytes: bytes, at: at)
      case .line(let text, let size, let firstByteAt, let lastByteAt):
        let payload = JSONRPCPayload(text)
        if payload.first != nil {
          context.explain(size)
          context.shared.append(
            .line(
              LineMessage(
                conn: context.flow.number, direction: direction, payload: payload,
                firstByteAt: firstByteAt, lastByteAt: lastByteAt)))
        } else if text.readableBytesView.allSatisfy({ JSONScan.isSpace($0) }) {
          context.explain(size)
        } else {
          context.lose("stdio.not_jsonrpc", bytes: size, at: lastByteAt)
        }
      }
    }
  }
}
