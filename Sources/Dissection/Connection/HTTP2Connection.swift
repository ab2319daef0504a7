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
  static let waitLimit = 1 << 20
  /// How long after a reset by the client the server's frames are still taken, nanoseconds.
  private static let lingerTime: Int64 = 1_000_000_000
  /// How many streams that are over are remembered, to name what still comes for them.
  private static let closedLimit = 256

  /// Flag of an exchange with fields whose names are not known.
  static let unknownFields = "hpack-unknown"

  let context: ConnectionContext
  let fromStart: Bool
  var ends = StreamEnds()
  var client: HTTP2Decoder
  var server: HTTP2Decoder
  var streams: [Int: HTTP2Stream] = [:]
  var closed = CircularBuffer<Int>()
  /// Streams whose answers wait for the rest of their requests, since when.
  var answered: [(stream: HTTP2Stream, since: Timestamp)] = []
  /// Streams of which only the answer was seen.
  var unrequested: Set<Int> = []
  /// Streams that the client reset, in that order.
  var lingering = CircularBuffer<HTTP2Stream>()
  /// The highest stream that the client opened.
  var highest = 0
  var waitingBytes = 0
  /// True once answers were held to the limit: no request comes for them.
  var isOneSided = false

  /// Creates the state of a connection; `fromStart` is false where it was joined in the middle. Stream 1 answers the request
  /// that was `upgraded`, if any, and has nothing of the client's.
  init(_ context: ConnectionContext, fromStart: Bool, upgraded: HTTPExchange? = nil) {
    self.context = context
    self.fromStart = fromStart
    client = HTTP2Decoder(role: .client, fromStart: fromStart)
    server = HTTP2Decoder(role: .server, fromStart: fromStart)
    guard let upgraded else { return }
    upgraded.stream = 1
    highest = 1
    streams[1] = HTTP2Stream(id: 1)
    streams[1]?.exchange = upgraded
  }

  /// Takes the next bytes of a direction.
  func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    while let left = lingering.first?.clientLeftAt,
      at - left > HTTP2Connection.lingerTime
        || lingering.count > HTTP2Connection.closedLimit
    {
      close(lingering.removeFirst(), by: .client, at: left)
    }
    if direction == .c2s {
      client.append(bytes, at: at)
    } else {
      server.append(bytes, at: at)
    }
    drain(direction, at)
  }

  /// Takes a hole in a direction.
  func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    if direction == .c2s { client.gap(count, at: at) } else { server.gap(count, at: at) }
    drain(direction, at)
  }

  /// Takes the end of a direction.
  func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    ends.note(direction, how, at: at)
    if direction == .c2s { client.end(how, at: at) } else { server.end(how, at: at) }
    drain(direction, at)
    if direction == .c2s {
      // Requests under way get no longer, and none comes any more.
      for stream in openStreams { release(stream, at: at) }
    }
    if ends.areBoth {
      for stream in openStreams {
        let by = stream.response.mayLack ? ResponseLine.EndedBy.capture : ends.endedBy
        close(stream, by: stream.clientLeftAt == nil ? by : .client, at: stream.clientLeftAt ?? at)
      }
    }
  }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  func own() {
    client.own()
    server.own()
    for stream in streams.values { stream.own() }
  }

  private func drain(_ direction: Direction, _ at: Timestamp) {
    if direction == .c2s {
      let before = client.explained
      while let event = client.next() { takeClient(event) }
      context.explain(client.explained - before)
      hurry(until: at)
    } else {
      let before = server.explained
      while let event = server.next() { takeServer(event) }
      context.explain(server.explained - before)
    }
  }

  var openStreams: [HTTP2Stream] { streams.keys.sorted().compactMap { streams[$0] } }

  // MARK: Streams

  func open(_ id: Int, at: Timestamp) -> HTTP2Stream {
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
  func note(_ headers: HTTP2Decoder.Headers, _ exchange: HTTPExchange) {
    if headers.areGuessed, !exchange.flags.contains("headers-unreliable") {
      exchange.flags.append("headers-unreliable")
    }
    guard headers.unknown > 0 else { return }
    context.flaw("h2.hpack_unknown", of: exchange, at: headers.endAt)
    if !exchange.flags.contains(HTTP2Connection.unknownFields) {
      exchange.flags.append(HTTP2Connection.unknownFields)
    }
  }

  // MARK: Ends

  /// Ends a stream without its answer's end.
  func close(_ stream: HTTP2Stream, by: ResponseLine.EndedBy, at: Timestamp) {
    if stream.exchange?.doneAt == nil { finish(stream, complete: false, by: by, at: at) }
  }

  func finish(
    _ stream: HTTP2Stream, complete: Bool, by: ResponseLine.EndedBy, at: Timestamp
  ) {
    if let exchange = stream.exchange {
      context.finish(exchange, complete: complete, by: by, at: at)
    }
    streams[stream.id] = nil
    unrequested.remove(stream.id)
    if closed.count == HTTP2Connection.closedLimit { closed.removeFirst() }
    closed.append(stream.id)
  }

  /// Content of a stream whose head was not seen, or that is over.
  func stray(_ id: Int, _ bytes: ByteBuffer, _ at: Timestamp) {
    context.lose(
      closed.contains(id) ? "h2.closed_stream" : "h2.unknown_stream", bytes: bytes.readableBytes,
      at: at)
  }
}
