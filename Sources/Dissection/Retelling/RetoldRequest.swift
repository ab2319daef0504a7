import Basics
import MCP
import NIOCore
import Trace
import Wire

/// A message of a line, as text again.
struct RetoldMessage {
  var text: ByteBuffer
  var batch: Int?
  var event: StreamEvent?
  /// What of it is a surrogate.
  var redacted: [String]?
  /// First and last byte, by the recorder's clock.
  var t: Int64
  var done: Int64

  /// `id` is an answer's in a batch, `alone` that of one that is in none. `nil` for lines that carry no message.
  init?(_ line: TraceEvent, id: MessageToken?, alone: MessageToken?) {
    switch line {
    case .request(let line):
      (text, batch, event) = (RetoldText.of(line), line.batch, nil)
      redacted = line.redacted
      (t, done) = (line.t, line.sent ?? line.t)
    case .notification(let line):
      (text, batch, event) = (RetoldText.of(line), line.batch, line.event)
      (t, done) = (line.t, line.done ?? line.t)
    case .response(let line):
      text = RetoldText.of(line, id: line.batch == nil ? alone : id)
      (batch, event) = (line.batch, line.event)
      redacted = line.redacted
      (t, done) = (line.t, line.done ?? line.t)
    default: return nil
    }
  }

  /// `id` is an answer's.
  init?(_ line: TraceEvent, id: MessageToken?) { self.init(line, id: id, alone: id) }
}

/// The request of an exchange, from the lines of its messages or its http line.
struct RetoldRequest {
  /// Header fields, where a line has them.
  var fields: HeaderFields?
  private(set) var content = RequestContent()
  private let session: SessionLine?
  private var method = "POST"
  private var target: String?
  private var positions: [Int] = []

  init(_ exchange: RetoldExchange, _ session: SessionLine?) {
    self.session = session
    content.role = exchange.role
    content.isBatch = exchange.isBatch
  }

  /// Takes the next of its lines.
  mutating func add(_ line: TraceEvent, id: MessageToken?) {
    switch line {
    case .http(let line):
      (method, target) = (line.method, line.target)
      fields = line.headers
      // Messages of which none was anything to anybody: what came before them was not noted.
      if line.role == .other, line.method == "POST", line.session != nil, line.after == nil {
        content.role = .messages
      }
    case .request(let request):
      fields = request.headers ?? fields
      add(line, id, hints: hints(request))
    case .notification(let notification):
      fields = notification.headers ?? fields
      add(line, id, hints: nil)
    case .response: add(line, id, hints: nil)
    default: break
    }
  }

  private mutating func add(_ line: TraceEvent, _ id: MessageToken?, hints: RawJSON?) {
    guard let retold = RetoldMessage(line, id: id),
      case .single(let message) = JSONRPCPayload(retold.text)
    else { return }
    var said = message
    if let hints {
      said = JSONRPCMessage(
        kind: .request, id: nil, method: message.method, content: hints, bytes: 0)
    }
    // In the order of the batch.
    let position = retold.batch ?? content.messages.count
    let place = positions.firstIndex { $0 > position } ?? positions.count
    positions.insert(position, at: place)
    var messages = Array(content.messages)
    messages.insert(
      RequestContent.Item(message, MessageFacts(said), redacted: retold.redacted), at: place)
    content.messages = MessageList(messages)
    if messages.count > 1 { content.isBatch = true }
  }

  /// What the params of a request said that were not kept, as far as other lines have it; `nil` where they were kept.
  private func hints(_ line: RequestLine) -> RawJSON? {
    guard line.params == nil || line.tool != nil && line.params?.member("name")?.string != line.tool
    else { return nil }
    return JSONWriter.object {
      $0.member("name", line.tool)
      guard let client = session?.client else { return }
      let info = JSONValue.object([
        .init("name", .string(client.name)), .init("version", .string(client.version)),
      ])
      if line.method == Method.initialize {
        $0.member("clientInfo", info)
        $0.member("protocolVersion", session?.revision)
      } else if let revision = session?.revision, Revision(revision).isStateless {
        $0.member("_meta") {
          $0.member("io.modelcontextprotocol/clientInfo", info)
          $0.member("io.modelcontextprotocol/protocolVersion", revision)
        }
      }
    }
  }

  /// The request's head; `nil` for an answer whose request was not seen. `endpoint` is the target of a message.
  func head(at: Timestamp, endpoint: String) -> HTTPRequestHead? {
    guard !method.isEmpty else { return nil }
    return HTTPRequestHead(
      method: method, target: target ?? endpoint, fields: fields ?? assumed, firstByteAt: at,
      endAt: at)
  }

  /// What names the session, where no line has header fields.
  private var assumed: HeaderFields {
    var list: [HeaderField] = []
    if let authority = session?.authority { list.append(HeaderField("host", authority)) }
    if let key = session?.key, key.by == .mcpSessionID, let value = key.value {
      list.append(HeaderField("mcp-session-id", value))
    }
    return HeaderFields(list)
  }
}

extension RecorderView {
  /// The target of a message's POST, which its line lacks: that of the session, else the authority's only one.
  func endpoint(for exchange: RetoldExchange, _ request: RetoldRequest) -> String {
    if let target = exchange.target { return target }
    if let session = exchange.session.flatMap({ sessions[$0] }) {
      if session.transport == .httpSSE, let key = session.key?.value { return key }
      return session.path ?? ""
    }
    // A session that was known and was not found: the path was another one.
    if let id = request.fields?.first(.mcpSessionID), keys.contains(id) { return "" }
    return paths[request.fields?.first(.host) ?? ""] ?? ""
  }
}
