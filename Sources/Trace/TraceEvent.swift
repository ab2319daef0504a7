public import Basics

/// One line of a trace, version 1.
///
/// Times are nanoseconds since the header's `t0` and may be negative. Each line keeps the keys it does not know in
/// `extra`, and a line of an unknown type is kept whole, so that tools which rewrite a trace lose nothing.
/// Indirect: lines have dozens of members, and are handed from stage to stage.
public indirect enum TraceEvent: Hashable, Sendable {
  /// First line of a file or segment.
  case header(HeaderLine)
  /// A transport connection; written again when it ends.
  case connection(ConnectionLine)
  /// A session; may repeat, the last value of a key wins.
  case session(SessionLine)
  /// A JSON-RPC request.
  case request(RequestLine)
  /// How a request ended; every request gets one.
  case response(ResponseLine)
  /// A JSON-RPC notification.
  case notification(NotificationLine)
  /// An HTTP exchange whose request carries no JSON-RPC.
  case http(HTTPLine)
  /// An SSE comment, priming event or bare `retry:`.
  case sse(SSELine)
  /// Any HTTP exchange, for audits (`--exchanges`).
  case exchange(ExchangeLine)
  /// Something seen but not understood or not kept.
  case loss(LossLine)
  /// A session is over.
  case end(EndLine)
  /// Counts of the whole file.
  case footer(FooterLine)
  /// A line of a type this version does not know, verbatim.
  case unknown(type: String, line: RawJSON)
}

extension TraceEvent {
  /// Reads one line (without its line end).
  ///
  /// - Throws: `TraceFormatError.notJSON`, `.missing` or `.wrongType`, without a line number.
  public init(line: RawJSON) throws(TraceFormatError) {
    var fields = try TraceFields(line)
    let type = try fields.string("type")
    switch type {
    case "header": self = .header(try HeaderLine(&fields))
    case "connection": self = .connection(try ConnectionLine(&fields))
    case "session": self = .session(try SessionLine(&fields))
    case "request": self = .request(try RequestLine(&fields))
    case "response": self = .response(try ResponseLine(&fields))
    case "notification": self = .notification(try NotificationLine(&fields))
    case "http": self = .http(try HTTPLine(&fields))
    case "sse": self = .sse(try SSELine(&fields))
    case "exchange": self = .exchange(try ExchangeLine(&fields))
    case "loss": self = .loss(try LossLine(&fields))
    case "end": self = .end(try EndLine(&fields))
    case "footer": self = .footer(try FooterLine(&fields))
    default: self = .unknown(type: type, line: line)
    }
  }

  /// The line's type, `nil` for one of an unknown type.
  var lineType: LineType? {
    switch self {
    case .header: .header
    case .connection: .connection
    case .session: .session
    case .request: .request
    case .response: .response
    case .notification: .notification
    case .http: .http
    case .sse: .sse
    case .exchange: .exchange
    case .loss: .loss
    case .end: .end
    case .footer: .footer
    case .unknown: nil
    }
  }

  /// The line's `type`.
  public var type: String {
    if case .unknown(let type, _) = self { return type }
    return lineType?.name.description ?? ""
  }

  /// The line as compact JSON, without a line end.
  public var line: RawJSON {
    if case .unknown(_, let line) = self { return line }
    var writer = JSONWriter()
    write(to: &writer)
    return RawJSON(trusted: writer.bytes.buffer)
  }

  /// Appends the line as compact JSON, without a line end.
  public func write(to object: inout JSONWriter) {
    switch self {
    case .header(let line): line.writeLine(to: &object)
    case .connection(let line): line.writeLine(to: &object)
    case .session(let line): line.writeLine(to: &object)
    case .request(let line): line.writeLine(to: &object)
    case .response(let line): line.writeLine(to: &object)
    case .notification(let line): line.writeLine(to: &object)
    case .http(let line): line.writeLine(to: &object)
    case .sse(let line): line.writeLine(to: &object)
    case .exchange(let line): line.writeLine(to: &object)
    case .loss(let line): line.writeLine(to: &object)
    case .end(let line): line.writeLine(to: &object)
    case .footer(let line): line.writeLine(to: &object)
    case .unknown(_, let line): object.append(line)
    }
  }
}

/// A key this version does not know, kept for those who rewrite the trace.
public struct ExtraMember: Hashable, Sendable {
  /// The key.
  public var key: String
  /// Its value, verbatim.
  public var value: RawJSON

  /// Creates a member.
  public init(key: String, value: RawJSON) {
    self.key = key
    self.value = value
  }
}
