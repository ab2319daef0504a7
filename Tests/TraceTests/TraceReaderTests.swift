import Basics
import Glibc
import NIOCore
import TestKit
import Testing
import Trace

struct `Trace reader` {
  @Test func `reads a file event by event`() throws {
    let samples = [Samples.header] + Samples.all
    let text = samples.map { $0.text + "\n" }.joined()
    try TemporaryFile.with(text) { path in
      let events = try TraceReader.events(of: path)
      #expect(events == samples.map(\.event))
    }
  }

  @Test func `reads a file larger than its chunks`() throws {
    let line = LossLine(t: 1, kind: String(repeating: "k", count: 1000))
    let count = 2000
    let text =
      Samples.minimalHeader.text + "\n"
      + String(repeating: TraceEvent.loss(line).line.text + "\n", count: count) + "{\"ty"
    try TemporaryFile.with(text) { path in
      let reader = try TraceReader(path: path)
      var seen = 0
      while let event = try reader.next() {
        if seen > 0 { #expect(event == .loss(line)) }
        seen += 1
      }
      #expect(seen == count + 1)
      #expect(reader.tornTail == 4)
      #expect(reader.line == count + 2)
      let beyond = try reader.next()
      #expect(beyond == nil)
    }
  }

  @Test func `refuses a file that is not there`() {
    #expect(throws: TraceFormatError(.io(errno: ENOENT))) {
      try TraceReader(path: "/nonexistent/a.mcptrace")
    }
  }

  @Test func `refuses a directory`() throws {
    let reader = try TraceReader(path: "/")
    #expect(throws: TraceFormatError(.io(errno: EISDIR), line: 0, offset: 0)) {
      try reader.next()
    }
  }

  @Test func `refuses an empty file`() throws {
    try TemporaryFile.with("") { path in
      let error = #expect(throws: TraceFormatError.self) { try TraceReader.events(of: path) }
      #expect(error == TraceFormatError(.notATrace, line: 1, offset: 0))
    }
  }

  @Test(arguments: [
    (
      TraceFormatError(.notJSON, line: 3, offset: 17),
      "line 3 (byte 17): not a JSON object in UTF-8"
    ),
    (TraceFormatError(.missing(key: "t")), "required key 't' is missing"),
    (TraceFormatError(.wrongType(key: "t", expected: "an integer")), "key 't' is not an integer"),
    (
      TraceFormatError(.laterVersion(2), line: 1, offset: 0),
      "line 1 (byte 0): trace version 2 is later than this program reads (1); use a newer one"
    ),
  ])
  func `says in one sentence what is wrong`(_ error: TraceFormatError, _ text: String) {
    #expect(error.description == text)
  }
}
