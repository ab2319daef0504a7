import Analysis
import Basics
import TestKit
import Testing
import Trace

struct `Trace contents` {
  @Test func `groups the example into its session`() throws {
    let contents = try TraceContents(path: Fixture.path("example.mcptrace"))
    let session = try #require(contents.session("s1"))
    #expect(session.messages.requests.map(\.n) == [1, 4, 6, 7])
    #expect(session.messages.responses.map(\.n) == [2, 5, 9, 10])
    #expect(session.messages.notifications.map(\.n) == [3, 8])
    #expect(session.messages.http.map(\.n) == [11])
    #expect(session.messages.answer(to: 7)?.n == 10)
    #expect(session.end?.how == .deleted)
    #expect(contents.lines == 17)
    #expect(contents.tornTail == 0)
    #expect(contents.connections.mapValues(\.how) == [1: "fin"])
  }

  @Test func `keeps the key's value where the end line has none`() throws {
    let contents = try TraceContents(path: Fixture.path("example.mcptrace"))
    #expect(contents.session("s1")?.key?.value == "8f2c…surrogate")
  }

  @Test func `lets the last value of a key win`() {
    var early = SessionLine(session: "s1", t: 5, transport: .streamableHTTP)
    early.revision = "2025-06-18"
    early.path = "/mcp"
    var late = SessionLine(session: "s1", t: 5, transport: .streamableHTTP)
    late.revision = "2025-11-25"
    let contents = TraceContents(events: [.session(early), .session(late)])
    #expect(contents.sessions.map(\.line?.revision) == ["2025-11-25"])
    #expect(contents.sessions.map(\.line?.path) == ["/mcp"])
  }

  @Test func `orders sessions by their start`() {
    let scripts = [TraceScript("s10", at: 3), TraceScript("s2", at: 3), TraceScript("s3", at: 1)]
    let contents = TraceContents(events: scripts.flatMap(\.events))
    #expect(contents.sessions.map(\.name) == ["s3", "s2", "s10"])
  }

  @Test func `keeps messages of a session that has no line yet`() {
    var script = TraceScript("s7")
    script.call("a", at: 9, turn: 1)
    let contents = TraceContents(events: Array(script.events.dropFirst()))
    #expect(contents.sessions.map(\.name) == ["s7"])
    #expect(contents.sessions.map(\.line) == [nil])
    #expect(contents.sessions.map(\.start) == [9_000_000])
  }

  @Test func `keeps what belongs to no session apart`() {
    let request = RequestLine(
      session: nil, n: 1, t: 0, dir: .c2s, id: RawJSON(.int(1)), method: "initialize")
    let contents = TraceContents(events: [.request(request)])
    #expect(contents.sessions.isEmpty)
    #expect(contents.outside.requests == [request])
  }

  @Test func `drops payloads from an outline`() throws {
    let outline = try TraceContents(path: Fixture.path("example.mcptrace"), detail: .outline)
    let messages = try #require(outline.session("s1")).messages
    #expect(messages.requests.allSatisfy { $0.params == nil && $0.headers == nil })
    #expect(messages.responses.allSatisfy { $0.result == nil })
    #expect(messages.requests.map(\.id.text) == ["0", "1", "2", "3"])
  }

  @Test func `sums up loss lines where there is no footer`() {
    let lines = [
      LossLine(t: 0, kind: "tcp.gap", bytes: 3), LossLine(t: 1, kind: "tcp.gap", bytes: 4),
    ]
    let contents = TraceContents(events: lines.map { .loss($0) })
    #expect(contents.loss == ["tcp.gap": .init(count: 2, bytes: 7)])
  }

  @Test func `adds the footers of segments up, unless the last has none`() {
    func segment(_ number: Int) -> TraceEvent {
      var header = HeaderLine(recorder: "r", source: .proxy, t0: Timestamp(nanoseconds: 0))
      header.segment = number
      return .header(header)
    }
    func footer(_ requests: Int, _ bytes: Int, lost: Int) -> TraceEvent {
      .footer(
        FooterLine(
          counts: ["request": requests], bytesIn: bytes + lost, bytesExplained: bytes,
          loss: ["tcp.gap": .init(count: 1, bytes: lost)]))
    }
    let closed = [segment(1), footer(2, 10, lost: 1), segment(2), footer(3, 20, lost: 2)]
    let sum = FooterLine(
      counts: ["request": 5], bytesIn: 33, bytesExplained: 30,
      loss: ["tcp.gap": .init(count: 2, bytes: 3)])
    #expect(TraceContents(events: closed).footer == sum)
    #expect(TraceContents(events: closed + [segment(3)]).footer == nil)
  }

  @Test func `reads a torn trace up to its last whole line`() throws {
    let contents = try TemporaryFile.with(Script.header + "\n{\"type\":\"session\",\"sess") {
      try TraceContents(path: $0)
    }
    #expect(contents.lines == 1)
    #expect(contents.tornTail == 23)
  }

  @Test(arguments: ["", "no trace", "{\"type\":\"header\""])
  func `refuses what has no header`(text: String) throws {
    #expect(throws: TraceFormatError(.notATrace, line: 1, offset: 0)) {
      _ = try TemporaryFile.with(text) { try TraceContents(path: $0) }
    }
  }

  private enum Script {
    static let header =
      TraceEvent.header(
        HeaderLine(recorder: "r", source: .pcap, t0: Timestamp(nanoseconds: 0))
      ).line.text
  }
}

struct `Logical call` {
  @Test func `ends as its last round ends`() {
    var script = TraceScript()
    let first = script.call("a", at: 0, turn: 1)
    script.answer(first, at: 10)
    let resumed = script.call("a", at: 20, turn: 1) { $0.continues = first }
    script.answer(resumed, at: 50, .toolError)
    let calls = TraceContents(events: script.events).sessions.flatMap(\.calls)
    #expect(calls.map(\.outcome) == [.toolError])
    #expect(calls.map(\.done) == [50_000_000])
    #expect(calls.map(\.service) == [40_000_000])
    #expect(calls.map { $0.rounds.map(\.request.n) } == [[first, resumed]])
  }

  @Test func `stands requests that refer to each other in a circle`() {
    var script = TraceScript()
    script.call("a", at: 0, turn: 1)
    script.call("a", at: 1, turn: 1) { $0.continues = 3 }
    script.call("a", at: 2, turn: 1) { $0.continues = 2 }
    let calls = TraceContents(events: script.events).sessions.flatMap(\.calls)
    #expect(calls.map { $0.rounds.count } == [1])
  }
}
