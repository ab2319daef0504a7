import Basics
import NIOCore
import Trace
import Wire

/// What the server says, once it may be said.
extension HTTP2Connection {
  func takeServer(_ event: HTTP2Decoder.Event) {
    switch event {
    case .headers(let headers):
      if let promised = headers.promised {
        promise(promised, headers)
      } else if let stream = streams[headers.stream] {
        tell(stream, event, bytes: 0, at: headers.endAt)
      } else if headers.isHead, !closed.contains(headers.stream) {
        let stream = open(headers.stream, at: headers.endAt)
        unrequested.insert(headers.stream)
        tell(stream, event, bytes: 0, at: headers.endAt)
      } else {
        context.lose("h2.stray_headers", bytes: 0, at: headers.endAt)
      }
    case .data(let id, let bytes, let at):
      guard let stream = streams[id] else { return stray(id, bytes, at) }
      context.explain(bytes.readableBytes)
      tell(stream, event, bytes: bytes.readableBytes, at: at)
    case .dataGap(let id, _, let at), .end(let id, let at):
      if let stream = streams[id] { tell(stream, event, bytes: 0, at: at) }
    case .reset(let id, let code, let at):
      guard let stream = streams[id] else { return }
      release(stream, at: at)
      stream.exchange?.flags.append("rst-stream-\(http2ErrorName(code))")
      close(stream, by: stream.clientLeftAt == nil ? .server : .client, at: at)
    case .goAway(let last, _, let at):
      for stream in openStreams where stream.id > last && !stream.id.isMultiple(of: 2) {
        stream.exchange?.flags.append("goaway")
        release(stream, at: at)
        close(stream, by: .server, at: at)
      }
    case .lostSync: for stream in streams.values { stream.response.interrupt() }
    case .resynced(let at): context.lose("h2.resync", bytes: 0, at: at)
    case .skipped(let bytes, let reason, let at):
      context.lose(reason.rawValue, bytes: bytes, at: at)
    }
  }

  private func promise(_ id: Int, _ headers: HTTP2Decoder.Headers) {
    guard id.isMultiple(of: 2), streams[id] == nil else {
      context.lose("h2.stray_headers", bytes: 0, at: headers.endAt)
      return
    }
    begin(id, headers)
    guard let exchange = streams[id]?.exchange else { return }
    exchange.flags.append("pushed")
    context.requested(exchange, complete: true, at: headers.endAt)
  }

  /// Passes on what the server says of a stream, or holds it.
  private func tell(_ stream: HTTP2Stream, _ event: HTTP2Decoder.Event, bytes: Int, at: Timestamp) {
    guard stream.isWaiting else { return take(event, stream) }
    stream.held.append(event)
    // An event costs memory too.
    waitingBytes += bytes + 64
    stream.heldBytes += bytes + 64
    if waitingBytes > HTTP2Connection.waitLimit {
      if stream.exchange == nil { isOneSided = true }
      release(stream, at: at)
    } else if stream.exchange == nil, !mayBeRequested(stream.id) {
      release(stream, at: at)
    } else if stream.exchange != nil, stream.held.count == 1 {
      answered.append((stream, at))
    }
  }

  /// Whether the request of a stream may still be seen.
  private func mayBeRequested(_ id: Int) -> Bool {
    id > highest && ends.c2s == nil && !isOneSided && (fromStart || highest > 0)
  }

  /// Lets what the server said go on: its request is over, or waited for no longer.
  func release(_ stream: HTTP2Stream, at: Timestamp) {
    if let exchange = stream.exchange {
      if exchange.sentAt == nil {
        // Of the request only the end may be missing.
        let isWhole =
          stream.request.mayLack
          && stream.request.isWhole(exchange.request?.fields, exchange.requestBody)
        context.requested(exchange, complete: isWhole, at: stream.request.lastAt ?? at)
      }
    } else {
      let exchange = context.exchange(nil)
      exchange.stream = stream.id
      exchange.sentAt = at
      exchange.flags.append("response-without-request")
      stream.exchange = exchange
      unrequested.remove(stream.id)
    }
    let held = stream.held
    stream.held = []
    waitingBytes -= stream.heldBytes
    stream.heldBytes = 0
    for event in held { take(event, stream) }
  }

  private func take(_ event: HTTP2Decoder.Event, _ stream: HTTP2Stream) {
    guard let exchange = stream.exchange, exchange.doneAt == nil else { return }
    switch event {
    case .headers(let headers):
      note(headers, exchange)
      // Trailers say nothing of MCP.
      guard exchange.response == nil else { return }
      let head = headers.response
      if head.isInterim {
        exchange.interim.append(head.status)
      } else {
        let left = stream.clientLeftAt ?? ends.clientLeftAt
        context.answered(exchange, head, clientLeftAt: left)
      }
    case .data(_, let bytes, let at):
      if exchange.flags.contains(HTTP2Connection.unknownFields) { exchange.guessType(bytes) }
      stream.response.count += bytes.readableBytes
      if stream.response.isInterrupted {
        stream.response.isInterrupted = false
        resume(exchange, bytes)
      }
      context.streamed(exchange, bytes, at: at)
    case .dataGap: context.missed(exchange)
    case .end(_, let at):
      // An end without a head: that was lost.
      let isWhole = exchange.response != nil
      if !stream.response.isWhole(exchange.response?.fields, exchange.responseBody) {
        exchange.responseBody.markIncomplete()
      }
      finish(stream, complete: isWhole, by: isWhole ? .server : .capture, at: at)
    case .reset, .goAway, .lostSync, .resynced, .skipped: break
    }
  }

  /// Goes on with an event stream behind a loss that may have hit it or not: most servers begin a frame with each event. In the
  /// middle of one it is taken as not hit; its text tells.
  private func resume(_ exchange: HTTPExchange, _ bytes: ByteBuffer) {
    guard let sse = exchange.sse else { return }
    if bytes.beginsLikeEvent {
      if !sse.isBetweenEvents { exchange.sse?.restart() }
    } else if sse.isBetweenEvents {
      exchange.sse?.gap()
    }
  }
}
