import Basics
import NIOCore
import Wire

/// What the client says.
extension HTTP2Connection {
  func takeClient(_ event: HTTP2Decoder.Event) {
    switch event {
    case .headers(let headers): opened(headers)
    case .data(let id, let bytes, let at):
      guard let stream = streams[id], let exchange = stream.exchange else {
        return stray(id, bytes, at)
      }
      stream.request.count += bytes.readableBytes
      stream.request.lastAt = at
      context.explain(bytes.readableBytes)
      _ = exchange.requestBody.append(bytes, keep: true)
    case .dataGap(let id, _, _): streams[id]?.exchange?.requestBody.gap()
    case .end(let id, let at):
      guard let stream = streams[id], let exchange = stream.exchange else { return }
      if exchange.sentAt == nil {
        let isWhole = stream.request.isWhole(exchange.request?.fields, exchange.requestBody)
        context.requested(exchange, complete: isWhole, at: at)
      }
      release(stream, at: at)
    case .reset(let id, let code, let at):
      guard let stream = streams[id], stream.clientLeftAt == nil else { return }
      release(stream, at: at)
      guard streams[id] != nil else { return }
      stream.exchange?.flags.append("rst-stream-\(http2ErrorName(code))")
      stream.clientLeftAt = at
      lingering.append(stream)
    case .goAway: break
    case .lostSync:
      for stream in streams.values where stream.isWaiting { stream.request.interrupt() }
    case .resynced(let at): context.lose("h2.resync", bytes: 0, at: at)
    case .skipped(let bytes, let reason, let at):
      context.lose(reason.rawValue, bytes: bytes, at: at)
    }
  }

  /// Answers wait no longer for requests whose end may be lost, once the client's bytes from then are there.
  func hurry(until at: Timestamp) {
    guard !answered.isEmpty else { return }
    answered.removeAll { stream, since in
      guard stream.isWaiting, at > since else { return !stream.isWaiting }
      guard stream.request.mayLack else { return false }
      release(stream, at: at)
      return true
    }
  }

  private func opened(_ headers: HTTP2Decoder.Headers) {
    let id = headers.stream
    if let exchange = streams[id]?.exchange {
      // Trailers, or a head that comes when its answer no longer waited for it.
      if exchange.request == nil {
        context.flaw("h2.late_request", of: exchange, at: headers.endAt)
      }
      return
    }
    guard headers.isHead, !closed.contains(id) else {
      context.lose("h2.stray_headers", bytes: 0, at: headers.endAt)
      return
    }
    begin(id, headers)
    // Lower streams were opened before: their requests were missed.
    highest = max(highest, id)
    for lower in unrequested.sorted() where lower < id {
      if let stream = streams[lower] { release(stream, at: headers.endAt) }
    }
  }

  func begin(_ id: Int, _ headers: HTTP2Decoder.Headers) {
    let exchange = context.exchange(headers.request)
    exchange.stream = id
    note(headers, exchange)
    let stream = streams[id] ?? open(id, at: headers.endAt)
    stream.exchange = exchange
    stream.request.lastAt = headers.endAt
    unrequested.remove(id)
  }
}
