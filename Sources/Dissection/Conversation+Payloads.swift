import Basics
import MCP
import NIOCore
import Redaction
import Trace
import Wire

/// What of messages, bodies and fields is shown.
extension Conversation {
  /// What of a message's payload is kept; of `none` only what other parts of the exchange repeat is told.
  func kept(
    _ message: JSONRPCMessage, _ part: PayloadPart, of method: String
  ) -> RedactedPayload? {
    guard let content = message.content else { return nil }
    if let payloadRedactor { return payloadRedactor.payload(content, part, of: method) }
    guard let credentialRedactor, let meta = message.meta else { return RedactedPayload(content) }
    return credentialRedactor.credentials(in: content, meta: meta, part, of: method)
  }

  /// The payload as it is written.
  func written(_ payload: RedactedPayload?) -> RawJSON? {
    options.payloads == .none ? nil : payload?.json
  }

  /// Places of a payload where surrogates stand, when others stay.
  func places(_ payload: RedactedPayload?) -> [String]? {
    options.payloads == .full ? payload?.pointers : nil
  }

  /// Writes what a message holds into its response line; returns it.
  func fill(
    _ line: inout ResponseLine, from message: JSONRPCMessage, of method: String
  ) -> RedactedPayload? {
    line.bytes = message.bytes
    guard message.kind == .error else {
      let payload = kept(message, .result, of: method)
      line.result = written(payload)
      if line.dir == .c2s { line.redacted = places(payload) }
      return payload
    }
    let payload = kept(message, .error, of: method)
    line.error = written(payload)
    line.code = message.content?.member("code")?.value.int
    return payload
  }

  /// Remembers what rules are to find again in texts.
  func remember(credentialsIn fields: HeaderFields?) {
    guard let fields, let payloadRedactor else { return }
    payloadRedactor.remember(credentialsIn: fields, shown: shownFields.of(fields))
  }

  /// Header fields as shown: without credentials, and without what rules hide of params that they repeat.
  func redacted(_ fields: HeaderFields?, repeating payload: RedactedPayload? = nil) -> HeaderFields?
  {
    guard let fields else { return nil }
    let shown = shownFields.of(fields)
    guard let payloadRedactor else { return shown }
    return payloadRedactor.fields(shown, of: fields, repeating: payload?.changes ?? [])
  }

  /// A text that is no payload, as shown.
  func shown(_ text: String) -> String { payloadRedactor?.text(text) ?? text }

  /// An event's id as shown: servers make it of the session's.
  func shown(eventID: String?, of session: SessionState?) -> String? {
    guard let eventID else { return nil }
    guard let key = session?.wireKey, options.redactor != nil, key.utf8.count >= 8,
      eventID.utf8.count >= key.utf8.count
    else { return shown(eventID) }
    return shown(eventID.replacing(key, with: session?.line.key?.value ?? surrogate(key)))
  }

  /// The target as it may be shown: where it is the key of a session, as that key's surrogate.
  func shownTarget(_ exchange: MCPExchange) -> String {
    let target = exchange.request?.target ?? ""
    if let session = exchange.session, session.wireKey == target {
      return session.line.key?.value ?? ""
    }
    let shown = options.redactor?.target(target) ?? target
    return payloadRedactor?.text(target, over: shown) ?? shown
  }

  /// A session's line as shown.
  func shown(_ line: SessionLine) -> SessionLine {
    guard payloadRedactor != nil else { return line }
    var shown = line
    shown.path = line.path.map { self.shown($0) }
    shown.client?.name = self.shown(line.client?.name ?? "")
    shown.server?.name = self.shown(line.server?.name ?? "")
    return shown
  }

  /// What of the uses is shown: the text around a value is payload, and so are names of members.
  func shown(_ uses: [ValueUse]) -> JSONValue? {
    var shown = uses
    if options.payloads != .full { shown.removeAll { $0.within != nil || $0.atWithin != nil } }
    if payloadRedactor != nil {
      shown.removeAll { self.shown($0.at) != $0.at || self.shown($0.path) != $0.path }
    }
    return shown.isEmpty ? nil : .array(shown.map(\.json))
  }

  /// A body that is no JSON-RPC message: what looks like a credential is replaced.
  func addBody(_ line: inout ResponseLine, _ ended: EndedExchange) {
    guard let body = ended.response.bytes else { return }
    line.bytes = ended.response.count
    guard options.payloads == .full else { return }
    if ended.response.isTruncated { line.truncated = true }
    let shown = shown(
      body, isCut: ended.response.isTruncated || ended.response.hasGap || !ended.isAnswered)
    if let text = shown.utf8Text {
      line.body = text
    } else {
      line.raw = Base64.encode(shown)
    }
  }

  private func shown(_ body: ByteBuffer, isCut: Bool) -> ByteBuffer {
    var shown = body
    for redactor in [credentialRedactor, payloadRedactor] {
      let text = shown
      if let replaced = redactor?.text(text.readableBytesUInt8Span, isCut: isCut) {
        shown = ByteBuffer(bytes: replaced)
      }
    }
    return shown
  }
}
