public import Basics
import NIOCore

/// Where a replay goes and what the user adds to every request.
public struct ReplayTarget: Hashable, Sendable {
  /// Host name or address to connect to.
  public var host: String
  /// TCP port.
  public var port: Int
  /// `Host` header.
  public var authority: String
  /// Path with query; `nil` takes the recorded one.
  public var path: String?
  /// Fields added to every request, instead of recorded ones of the same name.
  public var headers: [HeaderField]

  /// Describes a target.
  public init(
    host: String, port: Int, authority: String, path: String?, headers: [HeaderField] = []
  ) {
    self.host = host
    self.port = port
    self.authority = authority
    self.path = path
    self.headers = headers
  }
}

/// The requests of one script for one target, prepared once for all clones.
public final class RequestBook: Sendable {
  let templates: [RequestTemplate]
  /// For answers to the server's requests and notices that are no step of the script.
  let extra: RequestTemplate
  /// For taking up a stream that ended early; `Last-Event-ID` is added.
  let resume: RequestTemplate

  /// Prepares the requests of `script`.
  public init(_ script: SessionScript, _ target: ReplayTarget) {
    let path = target.path ?? script.path
    templates = script.steps.map { RequestBook.template($0, path, target) }
    var typical = ScriptStep(n: 0, kind: .notification, method: "")
    typical.headers =
      script.steps.first { $0.kind == .request && !$0.isModern }?.headers
      ?? script.steps.first?.headers ?? []
    extra = RequestBook.template(typical, path, target)
    typical.kind = .openStream
    resume = RequestBook.template(typical, path, target)
  }

  private static func template(
    _ step: ScriptStep, _ path: String, _ target: ReplayTarget
  ) -> RequestTemplate {
    let verb =
      switch step.kind {
      case .request, .notification: "POST"
      case .openStream: "GET"
      case .delete: "DELETE"
      }
    var fields = [HeaderField("Host", target.authority)]
    var recorded = step.headers
    if recorded.first("accept") == nil {
      let accept =
        step.kind == .openStream ? "text/event-stream" : "application/json, text/event-stream"
      recorded.append(HeaderField("Accept", accept))
    }
    fields += recorded
    if verb == "POST" { fields.append(HeaderField("Content-Type", "application/json")) }
    if step.isModern { fields += modernFields(step) }
    for field in target.headers {
      fields.removeAll { $0.named(field.name) }
      fields.append(field)
    }
    var head = ByteBuffer(string: "\(verb) \(path) HTTP/1.1\r\n")
    for field in fields { head.writeString("\(field.name): \(field.value)\r\n") }
    return RequestTemplate(
      head: head, isInSession: !step.isModern && step.method != "initialize",
      hasBody: verb == "POST", body: verb == "POST" ? body(step) : [])
  }

  /// SEP-2243: what the body says is mirrored in headers, and servers refuse a difference.
  private static func modernFields(_ step: ScriptStep) -> [HeaderField] {
    var fields = [
      HeaderField("mcp-protocol-version", Modern.version(step.params) ?? Modern.firstRevision)
    ]
    guard step.kind == .request else { return fields }
    fields.append(HeaderField("mcp-method", step.method))
    let key: String? =
      switch step.method {
      case "tools/call", "prompts/get": "name"
      case "resources/read": "uri"
      case "tasks/get", "tasks/update", "tasks/cancel": "taskId"
      default: nil
      }
    if let key, let name = step.params?.member(key)?.string {
      fields.append(HeaderField("mcp-name", headerText(name)))
    }
    return fields
  }

  /// Text that no header can hold travels as `=?base64?…?=`.
  private static func headerText(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
    let isPadded = text.utf8.first == 0x20 || text.utf8.last == 0x20
    guard !isPlain || isPadded || text.isEmpty else { return text }
    return "=?base64?\(Base64.encode(ByteBuffer(string: text)))?="
  }

  private static func body(_ step: ScriptStep) -> [RequestTemplate.Piece] {
    var pieces = Pieces()
    pieces.text("{\"jsonrpc\":\"2.0\"")
    if step.kind == .request {
      pieces.text(",\"id\":")
      pieces.add(.id)
    }
    pieces.text(",\"method\":")
    pieces.text(RawJSON(.string(step.method)))
    if let params = step.params {
      pieces.text(",\"params\":")
      write(params, step, to: &pieces)
    }
    pieces.text("}")
    return pieces.finish()
  }

  private static func write(_ params: RawJSON, _ step: ScriptStep, to pieces: inout Pieces) {
    let token = params.member("_meta")?.member("progressToken")
    guard step.kind == .request, token != nil || step.cursorFrom != nil else {
      return pieces.text(params)
    }
    pieces.object(params) { key, value, pieces in
      if key == "cursor", step.cursorFrom != nil {
        pieces.add(.cursor)
      } else if key == "_meta", let token {
        pieces.object(value) { key, value, pieces in
          if key == "progressToken" {
            pieces.add(.progressToken(isString: token.string != nil))
          } else {
            pieces.text(value)
          }
        }
      } else {
        pieces.text(value)
      }
    }
  }

  /// Joins neighbouring text.
  private struct Pieces {
    private var pieces: [RequestTemplate.Piece] = []
    private var pending = ByteBuffer()

    mutating func text(_ text: String) { pending.writeString(text) }
    mutating func text(_ json: RawJSON) { pending.writeImmutableBuffer(json.bytes) }

    mutating func add(_ piece: RequestTemplate.Piece) {
      flush()
      pieces.append(piece)
    }

    mutating func object(_ json: RawJSON, _ value: (String, RawJSON, inout Pieces) -> Void) {
      var members: [(String, RawJSON)] = []
      json.forEachMember { members.append(($0, $1)) }
      text("{")
      for (i, member) in members.enumerated() {
        if i > 0 { text(",") }
        text(RawJSON(.string(member.0)))
        text(":")
        value(member.0, member.1, &self)
      }
      text("}")
    }

    mutating func finish() -> [RequestTemplate.Piece] {
      flush()
      return pieces
    }

    private mutating func flush() {
      guard pending.readableBytes > 0 else { return }
      pieces.append(.text(pending))
      pending = ByteBuffer()
    }
  }
}
