import Basics
import NIOCore
import Trace
import Wire

/// What a connection tells the MCP layer of its exchanges, in the order an exchange lives through them.
enum ExchangeStep {
  /// The request is over (its body may be incomplete).
  case requested(HTTPExchange)
  /// The final response's head is there.
  case answered(HTTPExchange)
  /// An event of its stream.
  case event(HTTPExchange, SSEEvent)
  /// Both are over.
  case ended(HTTPExchange, by: ResponseLine.EndedBy)
}

/// Dissects one connection: looks at its first bytes, decides what it carries, pairs requests and responses.
///
/// Theory (mitmproxy's NextLayer): bytes are held until the protocol is known, then played into the chosen decoder. HTTP/1 pairs by
/// order (RFC 9112 §9.3). Sides of a capture have no common order, so an answer may wait for its request; but where requests may
/// be missing (joined in the middle, or after a gap) an answer without one is an orphan at once, lest all later pairs shift.
/// Where answers may be missing, who sends a request has the answer to the one before (no MCP client pipelines): that was lost.
/// States: sniffing → http1 | opaque. What is opaque is counted by name, never parsed again.
final class ConnectionDissector {
  let flow: FlowID
  let ends: FlowEnds
  let openedAt: Timestamp
  /// Payload bytes seen, by direction.
  private(set) var bytesC2S = 0
  private(set) var bytesS2C = 0
  /// What it turned out to carry.
  private(set) var content: ConnectionLine.Content?
  /// Ends of the directions.
  private(set) var endC2S: (how: FlowEnding, at: Timestamp)?
  private(set) var endS2C: (how: FlowEnding, at: Timestamp)?

  /// Which direction ended first; decides where the times are equal.
  private var firstEnd = Direction.c2s

  private enum Mode {
    case sniffing
    case http1
    case opaque(kind: String)
  }

  private enum Held {
    case bytes(Direction, ByteBuffer, Timestamp)
    case gap(Direction, Int, Timestamp)
  }

  /// Most bytes held while the protocol is unknown.
  private static let sniffLimit = 64 << 10
  /// Most bytes of answers that wait for a request (the out-of-order limit of a direction).
  private static let waitLimit = 1 << 20

  private let ledger: LossLedger
  private let options: DissectionOptions
  private let numberExchange: () -> Int
  private var mode = Mode.sniffing
  private var held: [Held] = []
  private var heldBytes = 0
  private var opaqueBytes = 0
  private var requests: HTTP1Decoder
  private var responses: HTTP1Decoder
  private var requesting: HTTPExchange?
  private var responding: HTTPExchange?
  private var awaiting: [HTTPExchange] = []
  private var requestsMayBeMissing: Bool
  private var answersMayBeMissing = false
  private var steps: [ExchangeStep] = []

  init(
    flow: FlowID, ends: FlowEnds, at: Timestamp, ledger: LossLedger, options: DissectionOptions,
    numberExchange: @escaping () -> Int
  ) {
    self.flow = flow
    self.ends = ends
    openedAt = at
    self.ledger = ledger
    self.options = options
    self.numberExchange = numberExchange
    requests = HTTP1Decoder(role: .request, fromStart: ends.seenFromStart)
    responses = HTTP1Decoder(role: .response, fromStart: ends.seenFromStart)
    requestsMayBeMissing = !ends.seenFromStart
  }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    if direction == .c2s {
      bytesC2S += bytes.readableBytes
    } else {
      bytesS2C += bytes.readableBytes
    }
    ledger.bytesIn += bytes.readableBytes
    switch mode {
    case .sniffing:
      held.append(.bytes(direction, bytes, at))
      heldBytes += bytes.readableBytes
      sniff(at)
    case .http1: feed(.bytes(direction, bytes, at))
    case .opaque: opaqueBytes += bytes.readableBytes
    }
  }

  /// Takes a hole in a direction.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    ledger.bytesIn += count
    ledger.note(LossLine(t: 0, kind: options.gapKind, bytes: count, conn: flow.number), at: at)
    switch mode {
    case .sniffing: held.append(.gap(direction, count, at))
    case .http1: feed(.gap(direction, count, at))
    case .opaque: break
    }
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    if endC2S == nil, endS2C == nil { firstEnd = direction }
    if direction == .c2s, endC2S == nil { endC2S = (how, at) }
    if direction == .s2c, endS2C == nil { endS2C = (how, at) }
    switch mode {
    case .http1:
      if direction == .c2s { requests.end(how, at: at) } else { responses.end(how, at: at) }
      drain()
      if isEnded { finishExchanges(at: at) }
    case .sniffing where isEnded: becomeOpaque("unknown")
    case .sniffing, .opaque: break
    }
    if isEnded, case .opaque(let kind) = mode, opaqueBytes > 0 {
      ledger.note(LossLine(t: 0, kind: kind, bytes: opaqueBytes, conn: flow.number), at: at)
      opaqueBytes = 0
    }
  }

  /// True once both directions are over.
  var isEnded: Bool { endC2S != nil && endS2C != nil }

  /// Takes the steps that came about since the last call, in order.
  func takeSteps() -> [ExchangeStep] {
    guard !steps.isEmpty else { return [] }
    defer { steps = [] }
    return steps
  }

  // MARK: What it carries

  /// Either side's first bytes may tell; when one side's say nothing the other's are waited for.
  private func sniff(_ at: Timestamp) {
    let guesses = [Direction.c2s, .s2c].map { SniffedProtocol(firstBytes: firstBytes(of: $0)) }
    if guesses.contains(.http1) {
      mode = .http1
      content = .http1
      let all = held
      held = []
      heldBytes = 0
      for piece in all { feed(piece) }
    } else if guesses.contains(.http2) {
      becomeOpaque("h2.unsupported")
    } else if guesses.contains(.tls) {
      becomeOpaque("tls.undecryptable")
    } else if guesses == [.unknown, .unknown] || heldBytes > ConnectionDissector.sniffLimit {
      becomeOpaque("unknown")
    } else if guesses.contains(.unknown), !ends.seenFromStart {
      // Joined in the middle: this may be the rest of a body; a later segment may begin a message.
      dropHeld(at)
    }
  }

  private func firstBytes(of wanted: Direction) -> ByteBuffer {
    var first = ByteBuffer()
    for case .bytes(let direction, let bytes, _) in held where direction == wanted {
      first.writeImmutableBuffer(bytes)
      if first.readableBytes >= 24 { break }
    }
    return first
  }

  private func dropHeld(_ at: Timestamp) {
    held = []
    let kind = HTTP1Decoder.SkipReason.midstream.rawValue
    ledger.note(LossLine(t: 0, kind: kind, bytes: heldBytes, conn: flow.number), at: at)
    heldBytes = 0
  }

  private func becomeOpaque(_ kind: String) {
    mode = .opaque(kind: kind)
    content = .opaque
    opaqueBytes += heldBytes
    held = []
    heldBytes = 0
  }

  // MARK: HTTP/1

  private func feed(_ piece: Held) {
    switch piece {
    case .bytes(.c2s, let bytes, let at): requests.append(bytes, at: at)
    case .bytes(.s2c, let bytes, let at): responses.append(bytes, at: at)
    case .gap(.c2s, let count, let at):
      requests.gap(count, at: at)
      requestsMayBeMissing = true
      // The requests behind the gap come next, and answers that wait may be theirs.
      return
    case .gap(.s2c, let count, let at):
      responses.gap(count, at: at)
      drain()
      if responding == nil { answersMayBeMissing = true }
      return
    }
    drain()
  }

  private func drain() {
    let before = requests.explained + responses.explained
    drainRequests()
    drainResponses()
    ledger.bytesExplained += requests.explained + responses.explained - before
  }

  private func drainRequests() {
    while let event = requests.next() {
      switch event {
      case .request(let head):
        let exchange = HTTPExchange(
          x: numberExchange(), conn: flow, clientHost: ends.client.host, request: head,
          options: options)
        requesting = exchange
        awaiting.append(exchange)
      case .body(let bytes, _): _ = requesting?.requestBody.append(bytes, keep: true)
      case .bodyGap: requesting?.requestBody.gap()
      case .end(let complete, let at):
        guard let exchange = requesting else { continue }
        requesting = nil
        if exchange.sentAt == nil { requested(exchange, complete: complete, at: at) }
      case .skipped(let bytes, let reason, let at):
        skipped(bytes, reason, at)
        requestsMayBeMissing = true
      case .response, .trailers: continue
      }
    }
  }

  private func requested(_ exchange: HTTPExchange, complete: Bool, at: Timestamp) {
    if !complete { exchange.requestBody.markIncomplete() }
    exchange.sentAt = at
    steps.append(.requested(exchange))
  }

  private func drainResponses() {
    while true {
      if responding == nil, responses.buffered <= ConnectionDissector.waitLimit {
        // An answer may be captured before its request: then it waits, unless requests may be missing.
        if awaiting.isEmpty, !requestsMayBeMissing, endC2S == nil { return }
        // An early answer (413, 401) waits for the end of its request, so that steps stay in order.
        if let first = awaiting.first, first.sentAt == nil { return }
      } else if responding == nil {
        // It waits no longer: its request is not seen, or so long that what came of it must do.
        requestsMayBeMissing = true
        if let first = awaiting.first, first.sentAt == nil {
          requested(first, complete: false, at: first.startedAt)
        }
      }
      guard let event = responses.next() else { return }
      take(event)
    }
  }

  private func take(_ event: HTTP1Decoder.Event) {
    switch event {
    case .response(let head):
      if head.isInterim {
        awaiting.first?.interim.append(head.status)
        return
      }
      let exchange = exchange(for: head)
      exchange.respond(with: head, options: options)
      if let client = endC2S, client.how == .fin || client.how == .reset {
        exchange.clientLeftFirst = client.at < head.firstByteAt
      }
      let method = exchange.request?.method
      if method == "HEAD" { responses.omitBody() }
      if method == "CONNECT", (200..<300).contains(head.status) {
        responses.becomeTunnel()
        requests.becomeTunnel()
      }
      if head.status == 101 { requests.becomeTunnel() }
      responding = exchange
      steps.append(.answered(exchange))
      if method == "CONNECT", (200..<300).contains(head.status) {
        finish(exchange, complete: true, at: head.endAt)
      }
    case .body(let bytes, let at):
      guard let exchange = responding else { return }
      let decoded = exchange.responseBody.append(bytes, keep: exchange.sse == nil)
      guard exchange.sse != nil else { return }
      exchange.sse?.append(decoded, at: at)
      while let event = exchange.sse?.next() { steps.append(.event(exchange, event)) }
    case .bodyGap:
      responding?.responseBody.gap()
      responding?.sse?.gap()
    case .end(let complete, let at):
      if let exchange = responding { finish(exchange, complete: complete, at: at) }
    case .skipped(let bytes, let reason, let at): skipped(bytes, reason, at)
    case .request, .trailers: return
    }
  }

  /// The exchange whose answer this is.
  private func exchange(for head: HTTPResponseHead) -> HTTPExchange {
    if answersMayBeMissing {
      answersMayBeMissing = false
      let last = awaiting.lastIndex { $0.startedAt <= head.firstByteAt } ?? 0
      for exchange in awaiting.prefix(last) { giveUp(exchange, by: .capture, at: head.firstByteAt) }
      awaiting.removeFirst(min(last, awaiting.count))
    }
    guard let first = awaiting.first,
      !requestsMayBeMissing || first.startedAt <= head.firstByteAt
    else { return orphan() }
    awaiting.removeFirst()
    return first
  }

  /// Ends an exchange whose answer never comes.
  private func giveUp(_ exchange: HTTPExchange, by: ResponseLine.EndedBy, at: Timestamp) {
    if exchange.sentAt == nil { requested(exchange, complete: false, at: at) }
    exchange.doneAt = at
    steps.append(.ended(exchange, by: by))
  }

  private func orphan() -> HTTPExchange {
    let exchange = HTTPExchange(
      x: numberExchange(), conn: flow, clientHost: ends.client.host, request: nil, options: options)
    exchange.flags.append("response-without-request")
    return exchange
  }

  private func finish(_ exchange: HTTPExchange, complete: Bool, at: Timestamp) {
    if !complete { exchange.responseBody.markIncomplete() }
    if exchange.responseBody.isCoded {
      exchange.flags.append("content-encoding-kept")
      // Its bytes are part of the exchange; what they say is lost.
      let kind = "content.undecoded"
      ledger.note(LossLine(t: 0, kind: kind, conn: flow.number, x: exchange.x), at: at)
    }
    exchange.sse?.end()
    if let bytes = exchange.sse?.incomplete, bytes > 0 {
      // Counted among the explained bytes, as part of the response.
      ledger.note(
        LossLine(t: 0, kind: "sse.incomplete_event", conn: flow.number, x: exchange.x), at: at)
    }
    exchange.isAnswered = complete
    exchange.doneAt = at
    responding = nil
    steps.append(.ended(exchange, by: complete ? .server : whoEnded))
  }

  /// Who closed first; the recording, when nobody did.
  private var whoEnded: ResponseLine.EndedBy {
    guard let server = endS2C, server.how == .fin || server.how == .reset else {
      guard let client = endC2S, client.how == .fin || client.how == .reset else { return .capture }
      return .client
    }
    guard let client = endC2S, client.how == .fin || client.how == .reset else { return .server }
    if client.at == server.at { return firstEnd == .c2s ? .client : .server }
    return client.at < server.at ? .client : .server
  }

  /// Both directions are over: what is still open never gets its answer.
  private func finishExchanges(at: Timestamp) {
    if let exchange = responding { finish(exchange, complete: false, at: at) }
    let by = answersMayBeMissing ? ResponseLine.EndedBy.capture : whoEnded
    for exchange in awaiting { giveUp(exchange, by: by, at: at) }
    awaiting = []
    requesting = nil
  }

  private func skipped(_ bytes: Int, _ reason: HTTP1Decoder.SkipReason, _ at: Timestamp) {
    ledger.note(LossLine(t: 0, kind: reason.rawValue, bytes: bytes, conn: flow.number), at: at)
  }
}
