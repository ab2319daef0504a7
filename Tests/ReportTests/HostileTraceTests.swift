import Analysis
import Basics
import NIOCore
import Report
import TestKit
import Testing
import Trace

/// Whatever numbers a trace holds, reading it ends with figures and errors, never with a trap.
struct `Hostile trace` {
  private static let extremes = [
    "0", "-1", "1", "7", "9223372036854775807", "-9223372036854775808", "9223372036854775806",
    "4611686018427387904", "99999999999999999999", "1e308", "null", "\"\"",
  ]

  @Test func `with changed numbers is read, judged and shown`() throws {
    var random = SeededGenerator(seed: SeededGenerator.freshSeed("hostile trace"))
    let example = try Fixture.text("example.mcptrace")
    for text in [example, polls] {
      let parts = split(text)
      for _ in 0..<150 { exercise(mutated(parts, &random)) }
    }
  }

  /// A call whose polls run far ahead.
  private var polls: String {
    var script = TraceScript()
    let n = script.call("a", at: 0, turn: 1)
    script.answer(n, at: 1)
    script.call("a", at: 2, turn: 1) { $0.pollOf = n }
    script.call("a", at: 3, turn: 1) { $0.continues = n }
    script.end(at: 4)
    return TraceScript.trace(script).map(\.line.text).joined(separator: "\n")
  }

  @Test func `with the largest turn is judged`() {
    let last = polls.replacing("\"turn\":1", with: "\"turn\":9223372036854775807")
    exercise(last)
  }

  /// Splits a text so that every element with an odd index is a number.
  private func split(_ text: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = text[...]
    while let match = rest.firstMatch(of: /[:,\[](-?[0-9]+)/) {
      parts.append(rest[..<match.1.startIndex])
      parts.append(match.1)
      rest = rest[match.1.endIndex...]
    }
    return parts + [rest]
  }

  /// Replaces up to four numbers.
  private func mutated(_ parts: [Substring], _ random: inout SeededGenerator) -> String {
    var parts = parts
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let at = Int.random(in: 0..<parts.count / 2, using: &random) * 2 + 1
      parts[at] = Self.extremes[Int.random(in: 0..<Self.extremes.count, using: &random)][...]
    }
    return parts.joined()
  }

  /// Does all that `trace` does with a file, but for lines that cannot be read.
  private func exercise(_ text: String) {
    var decoder = TraceDecoder()
    decoder.append(ByteBuffer(string: text))
    decoder.end()
    var events: [TraceEvent] = []
    var validator = TraceValidator()
    while true {
      do throws(TraceFormatError) {
        guard let event = try decoder.next() else { break }
        validator.read(event, text: decoder.text, line: decoder.line)
        events.append(event)
      } catch {
        validator.reject(error)
      }
    }
    let report = validator.finish(lines: decoder.line, tornTail: 0)
    let contents = TraceContents(events: events)
    let figures = TraceStatistics(contents)
    #expect(JSONValue(parsing: StatisticsJSON.value(figures, file: "e").text) != nil)
    let shown =
      StatisticsText.text(figures) + ValidationText.text(report, file: "e")
      + SessionTable.text(contents.sessions) + TraceHeading.text(contents, file: "e")
      + contents.sessions.map { SessionTimeline.text($0, limit: 50) }.joined()
    #expect(!shown.isEmpty)
  }
}
