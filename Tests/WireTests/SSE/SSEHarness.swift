import Basics
import NIOCore
import TestKit
import Testing
import Wire

/// An event without times, its data as text: what segmentation must not change.
struct Block: Hashable {
  var name: String?
  var id: String?
  var retry: Int?
  var data: String?
  var comment: String?

  init(
    _ data: String? = nil, name: String? = nil, id: String? = nil, retry: Int? = nil,
    comment: String? = nil
  ) {
    self.name = name
    self.id = id
    self.retry = retry
    self.data = data
    self.comment = comment
  }

  init(_ event: SSEEvent) {
    self.init(
      event.data.map { String(buffer: $0) }, name: event.name, id: event.id, retry: event.retry,
      comment: event.comment)
  }
}

/// Decodes chunks, each with its time, and says how many bytes were left over.
func decodeSSE(_ chunks: [(ByteBuffer, Int64)]) -> (events: [SSEEvent], incomplete: Int) {
  var decoder = SSEDecoder()
  var events: [SSEEvent] = []
  for (chunk, time) in chunks {
    decoder.append(chunk, at: Timestamp(nanoseconds: time))
    while let event = decoder.next() { events.append(event) }
  }
  decoder.end()
  while let event = decoder.next() { events.append(event) }
  return (events, decoder.incomplete)
}

/// Checks that a stream says `expected`: whole, byte by byte, at every split, and followed by another event.
func expectEvents(
  _ text: String, _ expected: [Block], incomplete: Int = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let bytes = Array(text.utf8)
  func check(_ chunks: [ByteBuffer], _ how: Comment, _ expected: [Block], _ incomplete: Int) {
    let decoded = decodeSSE(chunks.map { ($0, 0) })
    #expect(decoded.events.map(Block.init) == expected, how, sourceLocation: sourceLocation)
    #expect(decoded.incomplete == incomplete, how, sourceLocation: sourceLocation)
  }
  check([ByteBuffer(bytes: bytes)], "whole", expected, incomplete)
  check(Rechunking.bytewise(bytes), "byte by byte", expected, incomplete)
  for (i, parts) in Rechunking.everySplit(bytes).enumerated() {
    check(parts, "split at \(i + 1)", expected, incomplete)
  }
  guard incomplete == 0 else { return }
  let next = Array("data: next\n\ndata: cut".utf8)
  check([ByteBuffer(bytes: bytes + next)], "followed", expected + [Block("next")], 9)
}
