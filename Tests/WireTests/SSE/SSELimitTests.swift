import Basics
import NIOCore
import Testing
import Wire

struct `SSE limits` {
  private let at = Timestamp(nanoseconds: 0)
  private let limit = SSEDecoder.lineLimit

  /// Feeds `count` data bytes in one line, in chunks.
  private func feed(_ decoder: inout SSEDecoder, _ count: Int) {
    decoder.append(ByteBuffer(string: "data: "), at: at)
    let chunk = ByteBuffer(repeating: 0x61, count: 1 << 20)
    for _ in 0..<count / chunk.readableBytes { decoder.append(chunk, at: at) }
    let rest = ByteBuffer(repeating: 0x62, count: count % chunk.readableBytes)
    decoder.append(rest, at: at)
    decoder.append(ByteBuffer(string: "\n"), at: at)
  }

  @Test func `a line up to the limit is whole`() {
    var decoder = SSEDecoder()
    feed(&decoder, limit - 6)
    decoder.append(ByteBuffer(string: "\n"), at: at)
    let event = decoder.next()
    #expect(event?.data?.readableBytes == limit - 6)
    #expect(event?.isTruncated == false)
  }

  @Test func `a longer line is cut and says so`() {
    var decoder = SSEDecoder()
    feed(&decoder, limit + 5)
    decoder.append(ByteBuffer(string: "id: 1\n\ndata: b\n\n"), at: at)
    let long = decoder.next()
    #expect(long?.data?.readableBytes == limit - 6)
    #expect(long?.data?.readableBytesView.last == 0x61)
    #expect(long?.isTruncated == true)
    #expect(long?.id == "1")
    let next = decoder.next()
    #expect(next.map(Block.init) == Block("b"))
    #expect(next?.isTruncated == false)
  }

  @Test func `data of many lines is cut at the same limit`() {
    var decoder = SSEDecoder()
    for _ in 0..<4 { feed(&decoder, limit / 3) }
    decoder.append(ByteBuffer(string: "\n"), at: at)
    let event = decoder.next()
    #expect(event?.data?.readableBytes == limit)
    #expect(event?.isTruncated == true)
  }
}
