import Basics
import NIOCore
import Testing
import Wire

struct `SSE behind a gap` {
  private let at = Timestamp(nanoseconds: 1)

  private func data(_ pieces: [String]) -> [String] {
    var decoder = SSEDecoder()
    var texts: [String] = []
    for (i, piece) in pieces.enumerated() {
      if i > 0 { decoder.gap() }
      decoder.append(ByteBuffer(string: piece), at: at)
      while let event = decoder.next() { texts.append(event.data.map { String(buffer: $0) } ?? "") }
    }
    return texts
  }

  @Test func `two halves of different events are not joined`() {
    let texts = data(["data: {\"text\":\"one", "two\"}\n\ndata: whole\n\n"])
    #expect(texts == ["whole"])
  }

  @Test func `an event that was complete before the gap is kept`() {
    #expect(data(["data: a\n\n", "b\n\ndata: c\n\n"]) == ["a", "c"])
  }

  @Test func `half a line end does not complete an event`() {
    let texts = data(["event: message\r", "\ndata: rest\r\n\r\ndata: whole\r\n\r\n"])
    #expect(texts == ["whole"])
  }

  @Test(arguments: [
    "data: b\n\n", "event: x\ndata: b\n\n", "id: 1\r\ndata: b\r\n\r\n", "\ndata: b\n\n",
  ])
  func `whole events are lost between events`(_ next: String) {
    #expect(data(["data: a\n\n", next]) == ["a", "b"])
    #expect(data(["data: a\n\n", "", next]) == ["a", "b"])
  }

  @Test func `a field behind a cut event is taken for the rest of it`() {
    #expect(data(["data: {", "data: }\n\ndata: c\n\n"]) == ["c"])
    #expect(data(["data: a\n\n", "x", "data: }\n\ndata: c\n\n"]) == ["a", "c"])
    #expect(data(["data: {", "event: x\ndata: b\n\n"]) == ["b"])
  }
}
