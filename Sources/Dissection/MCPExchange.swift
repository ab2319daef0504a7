import Basics
import MCP
import Trace
import Wire

/// What the MCP layer knows of one HTTP exchange.
final class MCPExchange {
  /// A line that waits for the exchange's status and end.
  enum Deferred {
    case notification(NotificationLine)
    case response(ResponseLine)
    case http(HTTPLine)
  }

  /// What was told of it at first.
  private let begun: BegunExchange
  /// HTTP/2 stream.
  var stream: Int?
  /// First byte of a line on standard input or output, which has neither request nor response.
  private let lineAt: Timestamp?
  /// What the request is for; nothing before it is over.
  var content = RequestContent()
  /// Last byte of the request, once it is over.
  var sentAt: Timestamp?
  /// How the final response began.
  private var answer: AnsweredExchange?
  /// True when the response's body is an event stream.
  var isEventStream = false

  /// The session, once it is decided; the nameless one where there is none.
  var session: SessionState?
  /// Who knows its agent, where the request names no session.
  var agent: AgentInference.Assignment?
  /// Method of its first request, where it names no session.
  var asks = ""
  /// True when the request named a session id that was known.
  var namesKnownSession = false
  /// The client's requests in it.
  var requests: [OpenRequest] = []
  var deferred: [Deferred] = []
  /// The server's requests in it that belong to no session, so that nobody can answer them.
  var asked: [OpenRequest] = []
  var isStreamOpen = false
  /// What the stream's request came after.
  var streamPlace: CausalOrder.Place?
  /// True once an event had an id: the client may resume.
  var isResumable = false
  /// True once a line shows the request of this exchange.
  var isShown = false
  /// True once a response line has the response's headers.
  var headersWritten = false

  init(_ begun: BegunExchange) {
    self.begun = begun
    stream = begun.stream
    lineAt = nil
  }

  /// Creates what carries a line's messages: no exchange, and shown as none.
  init(_ line: LineMessage) {
    begun = BegunExchange(x: 0, conn: line.conn, clientHost: "", stream: nil, request: nil)
    lineAt = line.firstByteAt
  }

  /// Takes the beginning of the final response.
  func respond(_ answered: AnsweredExchange) {
    answer = answered
    stream = answered.stream
    isEventStream = answered.isStream
  }

  /// Number in the trace.
  var x: Int { begun.x }
  /// Number of its connection.
  var conn: Int { begun.conn }
  /// Who is authorised, where a recorder said it before.
  var principal: String? { begun.principal }
  /// Address of the client, without its port.
  var clientHost: String { begun.clientHost }
  /// The request's head; `nil` for an answer whose request was not seen.
  var request: HTTPRequestHead? { begun.request }
  /// The final response's head.
  var response: HTTPResponseHead? { answer?.head }
  /// True when the client had closed its side before the response began: who waited for it may be gone.
  var clientLeftFirst: Bool { answer?.clientLeftFirst ?? false }

  /// Copies its texts where they are a small part of the buffers that they keep.
  func own() {
    content.own()
    for i in deferred.indices { deferred[i].own() }
  }

  /// What the exchange is for.
  var role: RequestContent.Role { content.role }

  /// Status of the final response; `nil` too where its field could not be read (HTTP/2 joined in the middle).
  var status: Int? {
    guard let status = answer?.head.status, status != 0 else { return nil }
    return status
  }

  /// Path of the target, without query.
  var path: String { begun.request.map { String($0.path) } ?? "" }

  /// Its number as lines show it.
  var shownX: Int? { lineAt == nil ? x : nil }

  /// How the client's messages in it travelled.
  var via: Via { lineAt == nil ? .post : .stdio }

  /// First byte of the exchange.
  var startedAt: Timestamp {
    lineAt ?? begun.request?.firstByteAt ?? answer?.head.firstByteAt ?? Timestamp(nanoseconds: 0)
  }

  /// First value of a request header.
  func requestHeader(_ field: KnownField) -> String? { begun.request?.fields.first(field) }

  /// Whether the request has a header of that name.
  func hasRequestHeader(_ field: KnownField) -> Bool {
    begun.request?.fields.has(field) ?? false
  }
}

extension MCPExchange.Deferred {
  fileprivate mutating func own() {
    switch self {
    case .notification(var line):
      line.params = line.params?.owned
      self = .notification(line)
    case .response(var line):
      line.result = line.result?.owned
      line.error = line.error?.owned
      self = .response(line)
    case .http: break
    }
  }
}
