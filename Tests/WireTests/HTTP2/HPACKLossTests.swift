import Basics
import NIOCore
import TestKit
import Testing
import Wire

struct `Compression tables after a loss` {
  private static let at = Timestamp(nanoseconds: 1)

  /// What a client says in each request; `session` and `length` change.
  private static func request(_ session: Int, _ length: Int) -> [String] {
    [
      ":method: POST", ":authority: h:80", ":scheme: http", ":path: /mcp", "accept: text/x",
      "content-type: application/json", "mcp-session-id: s\(session)", "content-length: \(length)",
    ]
  }

  /// Feeds blocks of which those in `lost` are missing; returns the fields of the others and whether they are guessed.
  private func read(
    _ blocks: [[UInt8]], lost: Set<Int>
  ) -> [(block: Int, lines: [String], areGuessed: Bool)] {
    var decoder = HTTP2Decoder(role: .server)
    var said: [(block: Int, lines: [String], areGuessed: Bool)] = []
    for (index, block) in blocks.enumerated() {
      if lost.contains(index) {
        decoder.gap(block.count, at: Self.at)
      } else {
        decoder.append(ByteBuffer(bytes: block), at: Self.at)
      }
      while let event = decoder.next() {
        guard case .headers(let headers) = event else { continue }
        let lines = headers.fields.map { "\($0.name): \($0.value)" }
        #expect(headers.unknown == lines.count { $0.hasPrefix("?hpack-") })
        said.append((index, lines, headers.areGuessed))
      }
    }
    return said
  }

  @Test func `are put together again by the order of names`() {
    var client = HTTP2Frames()
    let messages = [
      Self.request(1, 10), Self.request(1, 20), Self.request(2, 30), Self.request(1, 40),
      Self.request(2, 10), Self.request(1, 20),
    ]
    let blocks = messages.enumerated().map { client.headers(2 * $0 + 1, $1) }
    let said = read(blocks, lost: [2])
    #expect(said.map(\.block) == [0, 1, 3, 4, 5])
    // What only the lost block said stays unknown: session 2.
    var fifth = messages[4]
    fifth[6] = "?hpack-63: "
    #expect(said.map(\.lines) == [messages[0], messages[1], messages[3], fifth, messages[5]])
    #expect(said.map(\.areGuessed) == [false, false, true, true, true])
  }

  @Test func `stay unknown where the order of names does not tell`() {
    var client = HTTP2Frames()
    let messages = ["a", "b", "c", "d"].map { ["x: \($0)", "x: \($0)\($0)"] }
    let blocks = (messages + [messages[0]]).enumerated().map { client.headers(2 * $0 + 1, $1) }
    let said = read(blocks, lost: [3])
    #expect(said.last?.lines.allSatisfy { $0.hasPrefix("?hpack-") } == true)
  }

  @Test func `never say what was not said`() {
    let seed = SeededGenerator.freshSeed("HPACK losses")
    var generator = SeededGenerator(seed: seed)
    var regained = 0
    for _ in 0..<30 {
      var client = HTTP2Frames()
      let messages = (0..<60).map { _ in
        var fields = Self.request(
          .random(in: 1...4, using: &generator), .random(in: 1...200, using: &generator))
        if Int.random(in: 0..<5, using: &generator) == 0 { fields.removeLast(2) }
        return fields
      }
      let blocks = messages.enumerated().map { client.headers(2 * $0 + 1, $1) }
      let lost = Set((0..<4).map { _ in Int.random(in: 5..<60, using: &generator) })
      for (block, lines, areGuessed) in read(blocks, lost: lost) {
        #expect(lines.count == messages[block].count)
        for (got, sent) in zip(lines, messages[block]) {
          #expect(got == sent || got.hasPrefix("?hpack-"))
        }
        if areGuessed, lines == messages[block] { regained += 1 }
      }
    }
    #expect(regained > 300)
  }
}
