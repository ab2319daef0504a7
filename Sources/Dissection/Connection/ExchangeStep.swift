import Basics
import NIOCore
import Trace
import Wire

/// What connections tell the MCP layer, in order: of an exchange what it lives through, and what is written as it is.
///
/// Values alone: each side of the seam may have its own thread. What is said of nearly every exchange lies in the step itself,
/// and so one behind the other in a batch: in objects it would lie where the other thread has to wait for each of them.
enum ExchangeStep: Sendable {
  /// A line that no session has a part in.
  indirect case connection(ConnectionLine)
  /// Something that connections lost.
  indirect case loss(LossLine)
  /// An exchange is told of for the first time.
  case began(BegunExchange)
  /// The request is over (its body may be incomplete), with what its body holds.
  case asked(x: Int, RequestContent.Role, JSONRPCPayload?, sentAt: Timestamp)
  /// The same, with its messages read.
  case requested(x: Int, RequestContent, sentAt: Timestamp)
  /// The response switches to another protocol, in which the final one is to come.
  indirect case switched(x: Int, HTTPResponseHead, ExchangeAudit)
  /// The final response's head is there.
  case answered(x: Int, AnsweredExchange)
  /// An event of its stream.
  case event(x: Int, HeardEvent)
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
final class LineMessage: Sendable {
  /// Number of the connection.
  let conn: Int
  let direction: Direction
  let payload: JSONRPCPayload
  let firstByteAt: Timestamp
  let lastByteAt: Timestamp

  init(
    conn: Int, direction: Direction, payload: JSONRPCPayload, firstByteAt: Timestamp,
    lastByteAt: Timestamp
  ) {
    self.conn = conn
    self.direction = direction
    self.payload = payload
    self.firstByteAt = firstByteAt
    self.lastByteAt = lastByteAt
  }
}

/// What is known of an exchange from its beginning.
struct BegunExchange: Sendable {
  /// Number in the trace.
  let x: Int
  /// Number of its connection.
  let conn: Int
  /// Address of the client, without its port.
  let clientHost: String
  /// HTTP/2 stream.
  let stream: Int?
  /// The request's head; `nil` for an answer whose request was not seen.
  let request: HTTPRequestHead?
  /// Who is authorised, where a recorder said it and its surrogates do not.
  var principal: String?
}

/// How the final response begins.
struct AnsweredExchange: Sendable {
  let head: HTTPResponseHead
  /// HTTP/2 stream: by an upgrade it becomes one behind its request.
  let stream: Int?
  /// True when its body is an event stream.
  let isStream: Bool
  /// True when the client had closed its side before: who waited for it may be gone.
  let clientLeftFirst: Bool
}

/// An event of a stream, with the messages in its data.
struct HeardEvent: Sendable {
  /// Without its data where that was read.
  let event: SSEEvent
  /// `nil` where there is no data, or data that is no message by its name.
  let payload: JSONRPCPayload?
  /// Bytes of its data.
  let size: Int

  /// The same, with texts copied where they are a small part of the buffers that they keep.
  var owned: HeardEvent {
    var (event, payload) = (event, payload)
    event.data?.own()
    payload?.own()
    return HeardEvent(event: event, payload: payload, size: size)
  }
}

extension HeardEvent {
  // By the memberwise initialiser: what assigns so many members one by one copies the whole in the end.
  /// Reads what the event holds.
  init(_ event: consuming SSEEvent) {
    let data = event.data
    let size = data?.readableBytes ?? 0
    guard let data, size > 0, event.name != "endpoint" else {
      self.init(event: event, payload: nil, size: size)
      return
    }
    event.data = nil
    self.init(event: event, payload: JSONRPCPayload(data), size: size)
  }
}

/// How an exchange ended.
struct EndedExchange: Sendable {
  /// Who ended it.
  let by: ResponseLine.EndedBy
  /// Last byte of the response, or when it was given up.
  let at: Timestamp
  /// True when the response's framing was whole.
  let isAnswered: Bool
  /// True when the response's body is, or was guessed to be, an event stream.
  let isStream: Bool
  /// What is to be known of the response's body.
  let response: Body
  /// For `--exchanges`.
  let audit: ExchangeAudit?

  /// A response's body, if it is no event stream.
  struct Body: Sendable {
    /// The kept part of it.
    var bytes: ByteBuffer?
    /// The messages in it, where it is whole and answers messages.
    var payload: JSONRPCPayload?
    /// Bytes of it in all, decoded; also of a stream.
    var count: Int
    /// True when not all of it was kept.
    var isTruncated: Bool
    /// True when the recording lacks bytes of it; also of a stream.
    var hasGap: Bool
  }

  /// The same, with texts copied where they are a small part of the buffers that they keep.
  var owned: EndedExchange {
    var response = response
    response.bytes?.own()
    response.payload?.own()
    return EndedExchange(
      by: by, at: at, isAnswered: isAnswered, isStream: isStream, response: response, audit: audit)
  }
}

/// What only an audit asks of an exchange: by reference, as few do and all steps have room for it.
final class ExchangeAudit: Sendable {
  let sentAt: Timestamp?
  /// HTTP/2 stream.
  let stream: Int?
  let request: ExchangeLine.Body
  let response: ExchangeLine.Body
  /// Statuses of interim responses.
  let interim: [Int]
  /// What was odd about it.
  let flags: [String]

  init(
    sentAt: Timestamp?, stream: Int?, request: ExchangeLine.Body, response: ExchangeLine.Body,
    interim: [Int], flags: [String]
  ) {
    self.sentAt = sentAt
    self.stream = stream
    self.request = request
    self.response = response
    self.interim = interim
    self.flags = flags
  }
}
