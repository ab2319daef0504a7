import Basics
import NIOCore
import Trace
import Wire

/// What connections tell the MCP layer, in order: of an exchange what it lives through, and what is written as it is.
///
/// Values alone: each side of the seam may have its own thread.
enum ExchangeStep: Sendable {
  /// A line that no session has a part in.
  case connection(ConnectionLine)
  /// Something that connections lost.
  case loss(LossLine)
  /// An exchange is told of for the first time.
  case began(BegunExchange)
  /// The request is over (its body may be incomplete).
  case requested(x: Int, RequestContent, sentAt: Timestamp)
  /// The response switches to another protocol, in which the final one is to come.
  case switched(x: Int, HTTPResponseHead, ExchangeAudit)
  /// The final response's head is there.
  case answered(x: Int, AnsweredExchange)
  /// An event of its stream.
  case event(x: Int, SSEEvent)
  /// Both are over.
  case ended(x: Int, EndedExchange)
  /// Messages of a line of a stdio server.
  case line(LineMessage)
  /// A stdio server's output is over.
  case linesEnded(conn: Int, by: ResponseLine.EndedBy, at: Timestamp)
  /// It is this late by the clock of the recording.
  case time(Timestamp)
  /// Much came since this was said last: what waits is to let go of the blocks that brought it.
  case settle
  /// The recording is over; these connections were still open.
  case finished(at: Timestamp, open: Set<Int>)
}

/// What a line on standard input or output holds.
struct LineMessage: Sendable {
  /// Number of the connection.
  var conn: Int
  var direction: Direction
  var payload: JSONRPCPayload
  var firstByteAt: Timestamp
  var lastByteAt: Timestamp
}

/// What is known of an exchange from its beginning.
struct BegunExchange: Sendable {
  /// Number in the trace.
  var x: Int
  /// Number of its connection.
  var conn: Int
  /// Address of the client, without its port.
  var clientHost: String
  /// HTTP/2 stream.
  var stream: Int?
  /// The request's head; `nil` for an answer whose request was not seen.
  var request: HTTPRequestHead?
}

/// How the final response begins.
struct AnsweredExchange: Sendable {
  var head: HTTPResponseHead
  /// HTTP/2 stream: by an upgrade it becomes one behind its request.
  var stream: Int?
  /// True when its body is an event stream.
  var isStream: Bool
  /// True when the client had closed its side before: who waited for it may be gone.
  var clientLeftFirst: Bool
}

/// How an exchange ended.
struct EndedExchange: Sendable {
  /// Who ended it.
  var by: ResponseLine.EndedBy
  /// Last byte of the response, or when it was given up.
  var at: Timestamp
  /// True when the response's framing was whole.
  var isAnswered: Bool
  /// True when the response's body is, or was guessed to be, an event stream.
  var isStream: Bool
  /// True when the recording lacks bytes of the response's body.
  var hasGap: Bool
  /// The kept part of a response's body that is no event stream.
  var body: ByteBuffer?
  /// Bytes of that body in all, decoded.
  var bodyCount: Int
  /// True when not all of it was kept.
  var isTruncated: Bool
  /// True when nothing of it is missing in the recording.
  var isComplete: Bool
  /// For `--exchanges`.
  var audit: ExchangeAudit?
}

/// What only an audit asks of an exchange.
struct ExchangeAudit: Sendable {
  var sentAt: Timestamp?
  /// HTTP/2 stream.
  var stream: Int?
  var request: ExchangeLine.Body
  var response: ExchangeLine.Body
  /// Statuses of interim responses.
  var interim: [Int]
  /// What was odd about it.
  var flags: [String]
}
