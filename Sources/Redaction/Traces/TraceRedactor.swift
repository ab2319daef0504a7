import Basics
import NIOCore
public import Trace

/// Replaces in the lines of a trace what a recorder would have replaced, line by line.
///
/// Credentials are left alone where the header says that surrogates of the same key stand in their place; those of another key are
/// replaced as if they were the real ones, which keeps equal values equal. Lines and keys that this version does not know are kept;
/// what texts in them hide is replaced.
public final class TraceRedactor {
  private let key: RedactionKey
  private let rules: PayloadRules?
  private let payloads: HeaderLine.Payloads
  private let memo: RedactionMemo
  private let credentials: PayloadRedactor
  private let redactor: Redactor
  private var payload: PayloadRedactor?
  /// False where the trace has surrogates of this key already.
  private var hidesCredentials = true
  /// Keys of sessions as the trace has them.
  private var keys: [String: String] = [:]
  /// Methods of requests that wait for their answer.
  private var methods: [String: String] = [:]
  private var texts = ShownTexts()

  /// Creates a redactor for one trace. Payloads are never shown more fully than the trace has them.
  public init(key: RedactionKey, rules: [RedactionRule], payloads: HeaderLine.Payloads = .full) {
    self.key = key
    self.payloads = payloads
    redactor = Redactor(key: key)
    memo = RedactionMemo(redactor)
    credentials = PayloadRedactor(credentialsOf: key)
    let isActive = !rules.isEmpty || payloads != .full
    self.rules =
      isActive ? PayloadRules(key: key, rules: rules, isShape: payloads != .full) : nil
    payload = self.rules.map { PayloadRedactor($0) }
  }

  /// Returns a line as it may be shown.
  public func redacted(_ event: TraceEvent) -> TraceEvent {
    switch event {
    case .header(let line): return .header(header(line))
    case .connection(var line):
      line.extra = extra(line.extra)
      return .connection(line)
    case .session(let line): return .session(session(line))
    case .request(let line): return .request(request(line))
    case .response(let line): return .response(response(line))
    case .notification(let line): return .notification(notification(line))
    case .http(let line): return .http(http(line))
    case .sse(var line):
      line.id = line.id.map { shown(eventID: $0, of: nil) }
      line.extra = extra(line.extra)
      return .sse(line)
    case .exchange(var line):
      line.target = target(line.target, of: nil)
      line.extra = extra(line.extra)
      return .exchange(line)
    case .loss(var line):
      line.extra = extra(line.extra)
      return .loss(line)
    case .end(var line):
      line.key = shown(line.key, of: line.session)
      line.extra = extra(line.extra)
      return .end(line)
    case .footer(var line):
      line.extra = extra(line.extra)
      return .footer(line)
    case .unknown(let type, let line):
      return .unknown(type: type, line: payload?.unknown(line) ?? line)
    }
  }

  // MARK: Lines

  private func header(_ line: HeaderLine) -> HeaderLine {
    var line = line
    let old = line.redaction
    let isOff = (old?["mode"]?.string ?? "off") == "off"
    let isOurs = old?["key_id"]?.string == key.id
    hidesCredentials = isOff || !isOurs
    if var left = rules {
      // What was done under this key is not done again.
      let done = hidesCredentials ? [] : (old?["rules"]?.array ?? []).compactMap(\.string)
      left.rules = zip(left.rules, left.names).filter { !done.contains($1) }.map(\.0)
      left.hidesCredentials = hidesCredentials
      left.isShape = left.isShape && (hidesCredentials || line.payloads != .shape)
      payload = left.isShape || !left.rules.isEmpty ? PayloadRedactor(left) : nil
    }
    var members = Redactor.description(credentials: key, payloads: rules).members ?? []
    if !isOff, let old {
      // What was done before counts too.
      let before = (old["rules"]?.array ?? []).filter { rule in
        !(members.last?.value.array ?? []).contains(rule)
      }
      for i in members.indices {
        if members[i].key == "rules" {
          members[i].value = .array((members[i].value.array ?? []) + before)
        }
        if members[i].key == "mode", old["mode"]?.string == "payloads" {
          members[i].value = .string("payloads")
        }
      }
      if !isOurs { members.append(.init("before", old)) }
    }
    line.redaction = .object(members)
    let all: [HeaderLine.Payloads] = [.full, .shape, .none]
    line.payloads = all.last { $0 == payloads || $0 == line.payloads ?? .full }
    line.extra = extra(line.extra)
    return line
  }

  private func session(_ line: SessionLine) -> SessionLine {
    var line = line
    if let value = line.key?.value { keys[line.session] = value }
    line.key = line.key.map { shown($0, of: line.session) }
    line.path = line.path.map { shown($0) }
    line.client = line.client.map { shown($0) }
    line.server = line.server.map { shown($0) }
    line.principal = line.principal.map { hidesCredentials ? redactor.surrogate($0) : $0 }
    line.extra = extra(line.extra)
    return line
  }

  private func request(_ line: RequestLine) -> RequestLine {
    var line = line
    methods["\(line.session ?? "")\n\(line.dir)\n\(line.n)"] = line.method
    let kept = kept(line.params, .params, of: line.method)
    line.params = written(kept)
    line.headers = fields(line.headers, repeating: kept)
    line.redacted = merged(line.redacted, kept)
    line.tool = line.tool.map { shown($0) }
    let uses = line.valueUses.compactMap { use($0, of: line.session, kept?.texts ?? [:]) }
    if line.uses != nil { line.uses = uses.isEmpty ? nil : .array(uses.map(\.json)) }
    line.extra = extra(line.extra)
    return line
  }

  private func response(_ line: ResponseLine) -> ResponseLine {
    var line = line
    let asked = "\(line.session ?? "")\n\(line.dir.reversed)\n\(line.re)"
    let method = methods.removeValue(forKey: asked) ?? ""
    let result = kept(line.result, .result, of: method)
    line.result = written(result)
    line.error = written(kept(line.error, .error, of: method))
    if let result { texts.note(line.session, line.n, result.changes) }
    if line.dir == .c2s { line.redacted = merged(line.redacted, result) }
    line.headers = fields(line.headers)
    line.event = line.event.map { shown($0, of: line.session) }
    // Of what broke off, the last word may be half of a secret, or is a surrogate already.
    let isCut =
      hidesCredentials
      && (line.truncated == true
        || [.transportError, .cancelled, .timeout, .unanswered].contains(line.outcome))
    if payloads != .full { (line.body, line.raw) = (nil, nil) }
    if let body = line.body {
      line.body = String(buffer: self.body(ByteBuffer(string: body), isCut))
    }
    if let raw = line.raw.flatMap({ Base64.decode($0) }) {
      line.raw = Base64.encode(body(raw, isCut))
    }
    line.extra = extra(line.extra)
    return line
  }

  private func notification(_ line: NotificationLine) -> NotificationLine {
    var line = line
    let kept = kept(line.params, .params, of: line.method)
    line.params = written(kept)
    line.headers = fields(line.headers, repeating: kept)
    line.event = line.event.map { shown($0, of: line.session) }
    line.extra = extra(line.extra)
    return line
  }

  private func http(_ line: HTTPLine) -> HTTPLine {
    var line = line
    line.target = target(line.target, of: line.session)
    line.headers = fields(line.headers)
    if let id = line.lastEventID {
      let shown = shown(eventID: id, of: line.session)
      line.lastEventID = shown
      line.headers = line.headers?.replacingValue(of: "last-event-id", by: shown)
    }
    line.extra = extra(line.extra)
    return line
  }

  // MARK: Parts

  private func kept(
    _ json: RawJSON?, _ part: PayloadPart, of method: String
  ) -> RedactedPayload? {
    guard let json else { return nil }
    if let payload { return payload.payload(json, part, of: method) }
    guard hidesCredentials, let meta = json.member("_meta") else { return RedactedPayload(json) }
    return credentials.credentials(in: json, meta: meta, part, of: method)
  }

  private func written(_ payload: RedactedPayload?) -> RawJSON? {
    payloads == .none ? nil : payload?.json
  }

  private func merged(_ old: [String]?, _ payload: RedactedPayload?) -> [String]? {
    guard payloads == .full else { return nil }
    let new = (payload?.pointers ?? []).filter { old?.contains($0) != true }
    return new.isEmpty ? old : (old ?? []) + new
  }

  private func fields(
    _ fields: HeaderFields?, repeating kept: RedactedPayload? = nil
  ) -> HeaderFields? {
    guard let fields else { return nil }
    let shown = hidesCredentials ? memo.fields(fields) : fields
    payload?.remember(credentialsIn: fields, shown: shown)
    return payload?.fields(shown, of: fields, repeating: kept?.changes ?? []) ?? shown
  }

  private func body(_ body: ByteBuffer, _ isCut: Bool) -> ByteBuffer {
    var body = body
    for redactor in [hidesCredentials ? credentials : nil, payload] {
      let text = body
      if let replaced = redactor?.text(text.readableBytesUInt8Span, isCut: isCut) {
        body = ByteBuffer(bytes: replaced)
      }
    }
    return body
  }

  /// A use as it may be shown, without what no longer stands in the texts; `nil` when nothing would find the value.
  private func use(
    _ use: ValueUse, of session: String?, _ shownTexts: [[UInt8]: [UInt8]]
  ) -> ValueUse? {
    guard shown(use.at) == use.at, shown(use.path) == use.path else { return nil }
    if use.within != nil || use.atWithin != nil, payloads != .full { return nil }
    if let within = use.within, !texts.holds(within, session, use.from, use.path) { return nil }
    if let within = use.atWithin, let text = shownTexts[Array(use.at.utf8)],
      !ShownTexts.holds(within, text)
    {
      return nil
    }
    return use
  }

  private func extra(_ members: [ExtraMember]) -> [ExtraMember] {
    guard let payload, !members.isEmpty else { return members }
    return members.map { ExtraMember(key: $0.key, value: payload.unknown($0.value)) }
  }
}

/// Names, keys and addresses.
extension TraceRedactor {
  private func shown(_ text: String) -> String { payload?.text(text) ?? text }

  private func shown(_ key: SessionKey, of session: String) -> SessionKey {
    guard hidesCredentials, let value = key.value else { return key }
    var key = key
    key.value = key.by == .sseEndpoint ? redactor.endpoint(value) : redactor.surrogate(value)
    return key
  }

  private func shown(_ implementation: Implementation) -> Implementation {
    var shown = implementation
    shown.name = self.shown(implementation.name)
    return shown
  }

  private func shown(_ event: StreamEvent, of session: String?) -> StreamEvent {
    var shown = event
    shown.id = event.id.map { self.shown(eventID: $0, of: session) }
    shown.name = event.name.map { self.shown($0) }
    return shown
  }

  /// The target of an HTTP+SSE session's messages is the session's key.
  private func target(_ target: String, of session: String?) -> String {
    guard hidesCredentials else { return shown(target) }
    let isKey = session.map { keys[$0] == target } ?? keys.values.contains(target)
    if isKey { return redactor.endpoint(target) }
    let shown = redactor.target(target)
    return payload?.text(target, over: shown) ?? shown
  }

  /// Servers make ids of events of the session's.
  private func shown(eventID: String, of session: String?) -> String {
    guard hidesCredentials, let key = session.flatMap({ keys[$0] }), key.utf8.count >= 8 else {
      return shown(eventID)
    }
    return shown(eventID.replacing(key, with: redactor.surrogate(key)))
  }
}
