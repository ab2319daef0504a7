import Basics
import NIOCore
import Trace
import Wire

/// Dissects a connection that carries HTTP/2: each stream is an exchange (RFC 9113 §8.1).
///
/// Theory: streams pair requests and answers by number, whatever the order on the wire. The sides of a capture have no common
/// order, so what the server says on a stream waits until the stream's request is over; it waits no longer when that can't
/// come any more: the client's streams are opened in rising order, so a higher one tells that a lower was missed.
/// A stream leaves the table when its answer is over, or the server resets it. Where the client resets it, the answer may be
/// on its way already: it is waited for (RFC 9113 §5.1: "a short period").
final class HTTP2Connection {
  /// Most streams that are open at once (Suricata's limit); the oldest is given up for another.
  private static let streamLimit = 4096
  /// Most bytes of answers that wait for their requests (the out-of-order limit of a direction).
  private static let waitLimit = 1 << 20
  /// How long after a reset by the client the server's frames are still taken, nanoseconds.
  private static let lingerTime: Int64 = 1_000_000_000
  /// How many streams that are over are remembered, to name what still comes for them.
  private static let closedLimit = 256

  private let context: ConnectionContext
  private let fromStart: Bool
  private var ends = StreamEnds()
  private var client: HTTP2Decoder
  private var server: HTTP2Decoder
  private var streams: [Int: HTTP2Stream] = [:]
  private var closed = CircularBuffer<Int>()
  /// Streams that the client reset, in that order.
  private var lingering = CircularBuffer<HTTP2Stream>()
  /// The highest stream that the client opened.
  private var highest = 0
  private var waitingBytes = 0
  /// True once answers were held to the limit: no request comes for them.
  private var isOneSided = false

  /// Creates the state of a connection; `fromStart` is false where it was joined in the middle.
  init(_ context: ConnectionContext, fromStart: Bool) {
    self.context = context
    self.fromStart = fromStart
    client = HTTP2Decoder(role: .client, fromStart: fromStart)
    server = HTTP2Decoder(role: .server, fromStart: fromStart)
  }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    while let left = lingering.first?.clientLeftAt, at - left > HTTP2Connection.lingerTime {
      close(lingering.removeFirst(), by: .client, at: left)
    }
    if direction == .c2s {
      client.append(bytes, at: at)
    } else {
      server.append(bytes, at: at)
    }
    drain(direction)
  }

  /// Takes a hole in a direction.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    if direction == .c2s { client.gap(count, at: at) } else { server.gap(count, at: at) }
    drain(direction)
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    ends.note(direction, how, at: at)
    if direction == .c2s { client.end(how, at: at) } else { server.end(how, at: at) }
    drain(direction)
    if direction == .c2s {
      // Requests under way get no longer, and none comes any more.
      for stream in openStreams { release(stream, at: at) }
    }
    if ends.areBoth {
      for stream in openStreams {
        let by = stream.mayHaveLost ? ResponseLine.EndedBy.capture : ends.endedBy
        close(stream, by: stream.clientLeftAt == nil ? by : .client, at: stream.clientLeftAt ?? at)
      }
    }
  }

  private func drain(_ direction: Direction) {
    if direction == .c2s {
      let before = client.explained
      while let event = client.next() { takeClient(event) }
      context.explain(client.explained - before)
    } else {
      let before = server.explained
      while let event = server.next() { takeServer(event) }
      context.explain(server.explained - before)
    }
  }

  private var openStreams: [HTTP2Stream] { streams.keys.sorted().compactMap { streams[$0] } }

  // MARK: What the client says

  private func takeClient(_ event: HTTP2Decoder.Event) {
    switch event {
    case .headers(let headers): opened(headers)
    case .data(let id, let bytes, let at):
      guard let exchange = streams[id]?.exchange else { return stray(id, bytes, at) }
      context.explain(bytes.readableBytes)
      _ = exchange.requestBody.append(bytes, keep: true)
    case .dataGap(let id, _, _): streams[id]?.exchange?.requestBody.gap()
    case .end(let id, let at):
      guard let stream = streams[id], let exchange = stream.exchange else { return }
      if exchange.sentAt == nil { context.requested(exchange, complete: true, at: at) }
      release(stream, at: at)
    case .reset(let id, let code, let at):
      guard let stream = streams[id], stream.clientLeftAt == nil else { return }
      release(stream, at: at)
      guard streams[id] != nil else { return }
      stream.exchange?.flags.append("rst-stream-\(http2ErrorName(code))")
      stream.clientLeftAt = at
      lingering.append(stream)
    case .goAway: break
    case .resynced(let at): context.lose("h2.resync", bytes: 0, at: at)
    case .skipped(let bytes, let reason, let at):
      context.lose(reason.rawValue, bytes: bytes, at: at)
      // Ends of requests may be among it.
      for stream in openStreams where stream.exchange != nil { release(stream, at: at) }
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
    for stream in openStreams where stream.exchange == nil && stream.id < id {
      release(stream, at: headers.endAt)
    }
  }

  private func begin(_ id: Int, _ headers: HTTP2Decoder.Headers) {
    let exchange = context.exchange(headers.request)
    exchange.stream = id
    note(headers, exchange)
    let stream = streams[id] ?? open(id, at: headers.endAt)
    stream.exchange = exchange
  }

  private func open(_ id: Int, at: Timestamp) -> HTTP2Stream {
    if streams.count >= HTTP2Connection.streamLimit, let oldest = streams.keys.min(),
      let stream = streams[oldest]
    {
      release(stream, at: at)
      if let exchange = stream.exchange { context.flaw("limit.h2_streams", of: exchange, at: at) }
      close(stream, by: .capture, at: at)
    }
    let stream = HTTP2Stream(id: id)
    streams[id] = stream
    return stream
  }

  /// Names that are not known make a head that may lack what matters.
  private func note(_ headers: HTTP2Decoder.Headers, _ exchange: HTTPExchange) {
    guard headers.unknown > 0 else { return }
    context.flaw("h2.hpack_unknown", of: exchange, at: headers.endAt)
    if !exchange.flags.contains("hpack-unknown") { exchange.flags.append("hpack-unknown") }
  }

  // MARK: What the server says

  private func takeServer(_ event: HTTP2Decoder.Event) {
    switch event {
    case .headers(let headers):
      if let promised = headers.promised {
        begin(promised, headers)
        guard let stream = streams[promised], let exchange = stream.exchange else { return }
        exchange.flags.append("pushed")
        context.requested(exchange, complete: true, at: headers.endAt)
      } else if let stream = streams[headers.stream] {
        tell(stream, event, bytes: 0, at: headers.endAt)
      } else if headers.isHead, !closed.contains(headers.stream) {
        tell(open(headers.stream, at: headers.endAt), event, bytes: 0, at: headers.endAt)
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
    case .resynced(let at): context.lose("h2.resync", bytes: 0, at: at)
    case .skipped(let bytes, let reason, let at):
      context.lose(reason.rawValue, bytes: bytes, at: at)
      for stream in streams.values { stream.mayHaveLost = true }
    }
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
    }
  }

  /// Whether the request of a stream may still be seen.
  private func mayBeRequested(_ id: Int) -> Bool {
    id > highest && ends.c2s == nil && !isOneSided && (fromStart || highest > 0)
  }

  /// Lets what the server said go on: its request is over, or waited for no longer.
  private func release(_ stream: HTTP2Stream, at: Timestamp) {
    if let exchange = stream.exchange {
      if exchange.sentAt == nil { context.requested(exchange, complete: false, at: at) }
    } else {
      let exchange = context.exchange(nil)
      exchange.stream = stream.id
      exchange.sentAt = at
      exchange.flags.append("response-without-request")
      stream.exchange = exchange
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
    case .data(_, let bytes, let at): context.streamed(exchange, bytes, at: at)
    case .dataGap: context.missed(exchange)
    case .end(_, let at):
      // An end without a head: that was lost.
      let isWhole = exchange.response != nil
      finish(stream, complete: isWhole, by: isWhole ? .server : .capture, at: at)
    case .reset, .goAway, .resynced, .skipped: break
    }
  }

  // MARK: Ends

  /// Ends a stream without its answer's end.
  private func close(_ stream: HTTP2Stream, by: ResponseLine.EndedBy, at: Timestamp) {
    if stream.exchange?.doneAt == nil { finish(stream, complete: false, by: by, at: at) }
  }

  private func finish(
    _ stream: HTTP2Stream, complete: Bool, by: ResponseLine.EndedBy, at: Timestamp
  ) {
    if let exchange = stream.exchange {
      context.finish(exchange, complete: complete, by: by, at: at)
    }
    streams[stream.id] = nil
    if closed.count == HTTP2Connection.closedLimit { closed.removeFirst() }
    closed.append(stream.id)
  }

  /// Content of a stream whose head was not seen, or that is over.
  private func stray(_ id: Int, _ bytes: ByteBuffer, _ at: Timestamp) {
    context.lose(
      closed.contains(id) ? "h2.closed_stream" : "h2.unknown_stream", bytes: bytes.readableBytes,
      at: at)
  }
}
