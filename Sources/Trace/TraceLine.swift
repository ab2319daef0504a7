import Basics

/// The types of lines that this version knows.
enum LineType: Int, CaseIterable {
  case header, connection, session, request, response, notification, http, sse, exchange, loss, end,
    footer

  /// The value of `type`.
  var name: StaticString {
    switch self {
    case .header: "header"
    case .connection: "connection"
    case .session: "session"
    case .request: "request"
    case .response: "response"
    case .notification: "notification"
    case .http: "http"
    case .sse: "sse"
    case .exchange: "exchange"
    case .loss: "loss"
    case .end: "end"
    case .footer: "footer"
    }
  }
}

/// A line of a known type.
protocol TraceLine {
  static var type: LineType { get }
  /// The line among all kinds of lines.
  var asEvent: TraceEvent { get }
  /// Writes the members behind `type`.
  func write(to object: inout JSONWriter)
}

extension TraceLine {
  /// Writes the whole line as compact JSON, without a line end.
  func writeLine(to text: inout JSONWriter) {
    text.open()
    text.member("type", literal: Self.type.name)
    write(to: &text)
    text.close()
  }
}

extension HeaderLine: TraceLine {
  static var type: LineType { .header }
  var asEvent: TraceEvent { .header(self) }
}

extension ConnectionLine: TraceLine {
  static var type: LineType { .connection }
  var asEvent: TraceEvent { .connection(self) }
}

extension SessionLine: TraceLine {
  static var type: LineType { .session }
  var asEvent: TraceEvent { .session(self) }
}

extension RequestLine: TraceLine {
  static var type: LineType { .request }
  var asEvent: TraceEvent { .request(self) }
}

extension ResponseLine: TraceLine {
  static var type: LineType { .response }
  var asEvent: TraceEvent { .response(self) }
}

extension NotificationLine: TraceLine {
  static var type: LineType { .notification }
  var asEvent: TraceEvent { .notification(self) }
}

extension HTTPLine: TraceLine {
  static var type: LineType { .http }
  var asEvent: TraceEvent { .http(self) }
}

extension SSELine: TraceLine {
  static var type: LineType { .sse }
  var asEvent: TraceEvent { .sse(self) }
}

extension ExchangeLine: TraceLine {
  static var type: LineType { .exchange }
  var asEvent: TraceEvent { .exchange(self) }
}

extension LossLine: TraceLine {
  static var type: LineType { .loss }
  var asEvent: TraceEvent { .loss(self) }
}

extension EndLine: TraceLine {
  static var type: LineType { .end }
  var asEvent: TraceEvent { .end(self) }
}

extension FooterLine: TraceLine {
  static var type: LineType { .footer }
  var asEvent: TraceEvent { .footer(self) }
}
