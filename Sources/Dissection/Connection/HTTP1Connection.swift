import Basics
import NIOCore
import Trace
import Wire

/// Dissects a connection that carries HTTP/1: pairs its requests and responses.
///
/// Theory: HTTP/1 pairs by order (RFC 9112 §9.3). Sides of a capture have no common order, so an answer may wait for its
/// request. Once a side has lost messages order tells no more, but time does: a client that does not pipeline (no MCP
/// client does) sent a request when the answer to the one before was there, so an answer belongs to the latest request
/// before it; where that has its answer, its own request is missing. Only of a client that was seen to pipeline the order
/// is still taken. Behind CONNECT and upgrades the bytes are another dissector's.
final class HTTP1Connection {
  /// Most bytes of answers that wait for a request (the out-of-order limit of a direction).
  private static let waitLimit = 1 << 20
  /// How long they wait where requests may be missing, nanoseconds: longer than a capture's reader holds what follows a hole.
  private static let waitTime: Int64 = 1_000_000_000

  private let context: ConnectionContext
  /// Number of the layer, from the connection's own.
  private let layer: Int
  private var ends = StreamEnds()
  private var requests: HTTP1Decoder
  private var responses: HTTP1Decoder
  /// False once a side's decoder had nothing to say, up to what comes next: asked for here, as a decoder is too large to be asked
  /// for every packet.
  private var mayAsk = false
  private var mayAnswer = false
  private var requesting: HTTPExchange?
  private var responding: HTTPExchange?
  private var pairing: ExchangePairing
  /// The request that asks to leave HTTP: what follows it is read when its answer is there.
  private var leaving: HTTPExchange?
  private var tunnel: ContentDissector?
  /// Capture time of the latest bytes of the client, and of either side.
  private var lastAskedAt: Timestamp?
  private var latest = Timestamp(nanoseconds: 0)
  /// The request that HTTP/2 answers.
  private var upgraded: HTTPExchange?

  /// Creates the state of a connection; `fromStart` is false where it was joined in the middle.
  init(_ context: ConnectionContext, fromStart: Bool, layer: Int) {
    self.context = context
    self.layer = layer
    requests = HTTP1Decoder(role: .request, fromStart: fromStart)
    responses = HTTP1Decoder(role: .response, fromStart: fromStart)
    pairing = ExchangePairing(fromStart: fromStart)
  }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    latest = max(latest, at)
    if direction == .c2s {
      lastAskedAt = max(lastAskedAt ?? at, at)
      requests.append(bytes, at: at)
      mayAsk = true
    } else {
      responses.append(bytes, at: at)
      mayAnswer = true
    }
    drain()
  }

  /// Takes a hole in a direction. What follows it is there, and comes next: until then nothing is decided.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    if direction == .c2s {
      if !requests.isInBody(count) { pairing.missRequests() }
      requests.gap(count, at: at)
      mayAsk = true
    } else {
      responses.gap(count, at: at, endsMessage: isAnswerOver(by: at))
      mayAnswer = true
    }
  }

  /// Whether the client had gone on to its next request by then: the answer under way had ended before.
  private func isAnswerOver(by at: Timestamp) -> Bool {
    guard let began = responding?.response?.firstByteAt else { return false }
    return pairing.isNextSent(after: began, by: at)
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    ends.note(direction, how, at: at)
    if direction == .c2s { requests.end(how, at: at) } else { responses.end(how, at: at) }
    (mayAsk, mayAnswer) = (true, true)
    drain()
    tunnel?.end(direction, how, at: at)
    if ends.areBoth { finishExchanges(at: at) }
  }

  /// Forgets what only makes reading faster: it fell silent.
  func rest() {
    requests.rest()
    responses.rest()
    tunnel?.rest()
  }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  func own() {
    requests.own()
    responses.own()
    pairing.own()
    for exchange in [requesting, responding, upgraded] { exchange?.own() }
    tunnel?.own()
  }

  /// Takes what is there, in the order of time: what the client says next may depend on what the server said before.
  private func drain() {
    let before = requests.explained + responses.explained
    while true {
      if mayAsk, mayAnswer, let answer = responses.nextAt, let request = requests.nextAt,
        answer < request, takeResponse()
      {
        continue
      }
      if !takeRequest(), !takeResponse() { break }
    }
    context.explain(requests.explained + responses.explained - before)
  }

  // MARK: Requests

  /// True while it is open whether the request's connection stays with HTTP. Clears what is decided.
  private var isLeaving: Bool {
    guard let exchange = leaving else { return false }
    if tunnel == nil, exchange.response == nil, exchange.doneAt == nil, ends.s2c == nil,
      requests.buffered <= HTTP1Connection.waitLimit
    {
      return true
    }
    leaving = nil
    return false
  }

  /// Takes the client's next event; false when there is none yet.
  private func takeRequest() -> Bool {
    guard mayAsk, !isLeaving else { return false }
    guard let event = requests.next() else {
      mayAsk = false
      return false
    }
    switch consume event {
    case .request(let head):
      let exchange = context.exchange(head)
      if head.isCut { exchange.flags.append("incomplete-head") }
      requesting = exchange
      if let old = pairing.asked(exchange, isCrowded: context.isCrowded) {
        context.flaw("limit.http1_pipeline", of: old, at: head.firstByteAt)
        context.giveUp(old, by: .capture, at: head.firstByteAt)
      }
    case .body(let bytes, _): _ = requesting?.requestBody.append(bytes, keep: true)
    case .bodyGap: requesting?.requestBody.gap()
    case .end(let complete, let at):
      guard let exchange = requesting else { break }
      requesting = nil
      if exchange.sentAt == nil { context.requested(exchange, complete: complete, at: at) }
      if exchange.request?.asksToLeave == true { leaving = exchange }
    case .skipped(let bytes, let reason, let at):
      skipped(bytes, reason, at)
      pairing.requestsMayBeMissing = true
    case .tunnel(let bytes, let at): tunnel?.append(.c2s, bytes, at: at)
    case .tunnelGap(let count, let at): tunnel?.gap(.c2s, count, at: at)
    case .response, .trailers: break
    }
    return true
  }

  // MARK: Responses

  /// Takes the server's next event; false when there is none yet, or it has to wait.
  private func takeResponse() -> Bool {
    guard mayAnswer else { return false }
    if tunnel != nil {
      // Nothing in it answers anything out here.
    } else if responding == nil, responses.buffered <= HTTP1Connection.waitLimit {
      // An answer may be captured before its request: then it waits.
      if pairing.isEmpty, ends.c2s == nil, mayBeAsked { return false }
      // An early answer (413, 401) waits for the end of its request, so that steps stay in order.
      if let first = pairing.first, first.sentAt == nil { return false }
      if let request = requesting, let answer = responses.nextAt, request.startedAt <= answer {
        return false
      }
    } else if responding == nil {
      // It waits no longer: its request is not seen, or so long that what came of it must do.
      pairing.requestsMayBeMissing = true
      for request in [pairing.first, requesting] {
        guard let request, request.sentAt == nil else { continue }
        context.requested(request, complete: false, at: request.startedAt)
      }
    }
    let holes = responses.holes
    let event = responses.next()
    if responses.holes > holes { pairing.missAnswers() }
    guard let event else {
      mayAnswer = false
      return false
    }
    take(event)
    return true
  }

  /// Whether the request that the next answer belongs to may still come. Where requests may be missing it comes soon or
  /// not at all, and not once the client is seen to have said something later.
  private var mayBeAsked: Bool {
    guard pairing.requestsMayBeMissing else { return true }
    guard let answer = responses.nextAt, let asked = lastAskedAt else { return false }
    return asked < answer && latest - answer < HTTP1Connection.waitTime
  }

  private func take(_ event: consuming HTTP1Decoder.Event) {
    switch consume event {
    case .response(let head) where head.isInterim: pairing.noteInterim(head)
    case .response(let head): begin(head)
    case .body(let bytes, let at):
      if let exchange = responding { context.streamed(exchange, bytes, at: at) }
    case .bodyGap:
      if let exchange = responding { context.missed(exchange) }
    case .end(let complete, let at):
      if let exchange = responding { finish(exchange, complete: complete, at: at) }
    case .tunnel(let bytes, let at): tunnel?.append(.s2c, bytes, at: at)
    case .tunnelGap(let count, let at): tunnel?.gap(.s2c, count, at: at)
    case .skipped(let bytes, let reason, let at): skipped(bytes, reason, at)
    case .request, .trailers: return
    }
  }

  private func begin(_ head: HTTPResponseHead) {
    let (found, unanswered) = pairing.answered(head)
    for exchange in unanswered { context.giveUp(exchange, by: .capture, at: head.firstByteAt) }
    let exchange = found ?? orphan()
    if head.isCut { exchange.flags.append("incomplete-head") }
    let method = exchange.request?.method
    if method == "HEAD" { responses.omitBody() }
    if head.status == 101, head.fields.first(.upgrade)?.lowercased() == "h2c", found != nil {
      // What answers the request is to come, as stream 1 of HTTP/2 (RFC 7540 §3.2).
      upgraded = exchange
      exchange.interim.append(head.status)
      context.switched(exchange, head)
      return leave(exchange, for: "h2c")
    }
    responding = exchange
    context.answered(exchange, head, clientLeftAt: ends.clientLeftAt)
    if head.status == 101 {
      leave(exchange, for: head.fields.first(.upgrade) ?? "")
    } else if method == "CONNECT", (200..<300).contains(head.status) {
      responses.becomeTunnel()
      leave(exchange, for: "")
      finish(exchange, complete: true, at: head.endAt)
    }
  }

  /// What follows the exchange, on both sides, is another protocol.
  private func leave(_ exchange: HTTPExchange, for name: String) {
    requests.becomeTunnel()
    mayAsk = true
    tunnel = ContentDissector(
      context, upgrading: exchange, to: name.lowercased(), layer: layer + 1)
  }

  private func orphan() -> HTTPExchange {
    let exchange = context.exchange(nil)
    exchange.flags.append("response-without-request")
    return exchange
  }

  private func finish(_ exchange: HTTPExchange, complete: Bool, at: Timestamp) {
    responding = nil
    let by = complete ? ResponseLine.EndedBy.server : ends.endedBy
    context.finish(exchange, complete: complete, by: by, at: at)
  }

  /// Both directions are over: what is still open never gets its answer.
  private func finishExchanges(at: Timestamp) {
    if let exchange = responding { finish(exchange, complete: false, at: at) }
    if let exchange = upgraded, exchange.doneAt == nil {
      context.finish(exchange, complete: false, by: ends.endedBy, at: at)
    }
    let by = pairing.answersMayBeMissing ? ResponseLine.EndedBy.capture : ends.endedBy
    for exchange in pairing.takeAll() { context.giveUp(exchange, by: by, at: at) }
    requesting = nil
  }

  private func skipped(_ bytes: Int, _ reason: HTTP1Decoder.SkipReason, _ at: Timestamp) {
    context.lose(reason.rawValue, bytes: bytes, at: at)
  }
}

extension HTTPRequestHead {
  /// True for requests after which the connection may carry another protocol (RFC 9110 §7.8, §9.3.6).
  fileprivate var asksToLeave: Bool { method == "CONNECT" || fields.has(.upgrade) }
}
