import Basics
import NIOCore
import Wire

func fuzzHTTP1(_ input: ByteBuffer) {
  for role in [HTTP1Decoder.Role.request, .response] {
    for fromStart in [true, false] {
      var decoder = HTTP1Decoder(role: role, fromStart: fromStart)
      var told = 0
      func drain() {
        while let event = decoder.next() {
          switch event {
          case .skipped(let bytes, _, _): told += bytes
          case .tunnel(let bytes, _): told += bytes.readableBytes
          default: break
          }
        }
      }
      for (i, piece) in pieces(of: input).enumerated() {
        decoder.append(piece, at: moment(i))
        if i % 7 == 3 { decoder.gap(1 + i, at: moment(i)) }
        if i % 11 == 5 { decoder.omitBody() }
        drain()
      }
      decoder.end(.fin, at: moment(1 << 20))
      drain()
      require(
        decoder.explained + told == input.readableBytes, "every byte is explained, told or skipped")
    }
  }
}

func fuzzSSE(_ input: ByteBuffer) {
  func events(_ pieces: [ByteBuffer]) -> [SSEEvent] {
    var decoder = SSEDecoder()
    var events: [SSEEvent] = []
    for piece in pieces {
      decoder.append(piece, at: moment(0))
      while let event = decoder.next() { events.append(event) }
    }
    decoder.end()
    while let event = decoder.next() { events.append(event) }
    return events
  }
  require(
    events(pieces(of: input)) == events([input]), "events do not depend on how bytes are cut")
}

func fuzzJSONRPC(_ input: ByteBuffer) {
  for message in JSONRPCPayload(input).messages {
    if let id = message.id { require(RawJSON(validating: id.bytes) == id, "an id is JSON") }
    if let content = message.content {
      require(RawJSON(validating: content.bytes) == content, "a message's content is compact JSON")
    }
  }
}
