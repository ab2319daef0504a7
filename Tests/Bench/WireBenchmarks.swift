import Basics
import NIOCore
import Wire

/// HTTP/1.1 and SSE, as a kept connection carries them.
func wireBenchmarks() -> [Benchmark] {
  let at = Timestamp(nanoseconds: 0)
  let exchange = Samples.post.readableBytes + Samples.answer.readableBytes
  func decode(_ decoder: inout HTTP1Decoder, _ bytes: ByteBuffer) -> Int {
    decoder.append(bytes, at: at)
    var events = 0
    while decoder.next() != nil { events += 1 }
    return events
  }
  func dripped(_ buffer: ByteBuffer) -> [ByteBuffer] {
    var rest = buffer
    var chunks: [ByteBuffer] = []
    while let chunk = rest.readSlice(length: min(1460, rest.readableBytes)),
      chunk.readableBytes > 0
    { chunks.append(chunk) }
    return chunks
  }
  let segments = dripped(Samples.longEvent)
  return [
    Benchmark("http1: keep-alive exchange", bytes: exchange) { count in
      var requests = HTTP1Decoder(role: .request)
      var responses = HTTP1Decoder(role: .response)
      var sum = 0
      for _ in 0..<count {
        sum &+= decode(&requests, Samples.post) &+ decode(&responses, Samples.answer)
      }
      return sum
    },
    Benchmark("http1: 1 MB until close in segments", bytes: Samples.longEvent.readableBytes) {
      count in
      var responses = HTTP1Decoder(role: .response)
      var sum = decode(&responses, ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"))
      for _ in 0..<count { for segment in segments { sum &+= decode(&responses, segment) } }
      return sum
    },
    Benchmark("sse: small event", bytes: Samples.event.readableBytes) { count in
      var decoder = SSEDecoder()
      var sum = 0
      for _ in 0..<count {
        decoder.append(Samples.event, at: at)
        while let event = decoder.next() { sum &+= event.data?.readableBytes ?? 0 }
      }
      return sum
    },
    Benchmark("sse: 1 MB event in segments", bytes: Samples.longEvent.readableBytes) { count in
      var decoder = SSEDecoder()
      var sum = 0
      for _ in 0..<count {
        for segment in segments { decoder.append(segment, at: at) }
        while let event = decoder.next() { sum &+= event.data?.readableBytes ?? 0 }
      }
      return sum
    },
  ]
}
