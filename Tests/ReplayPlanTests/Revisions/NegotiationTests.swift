import Basics
import MCP
import NIOCore
import ReplayPlan
import TestKit
import Testing
import Trace

/// How a replay finds out what its target speaks.
struct `Negotiation with a target` {
  private static let stateless = Revision("2026-07-28")
  private static let sessions = Revision("2025-11-25")

  /// A recorded session of revision 2026-07-28 with one call.
  private static func modern() -> [TraceEvent] {
    var lines = SessionLines("s2", start: 0, by: .clientInfo)
    lines.call("a", t: 0, turn: 1) {
      $0.headers = [HeaderField("mcp-protocol-version", "2026-07-28")]
    }
    return lines.events
  }

  private static func answer(
    _ status: Int?, result: String? = nil, error: String? = nil, session: String? = nil
  ) -> Negotiation.Answer {
    var answer = Negotiation.Answer()
    answer.status = status
    answer.result = result.flatMap { JSONValue(parsing: $0) }.map { RawJSON($0) }
    answer.error = error.flatMap { JSONValue(parsing: $0) }.map { RawJSON($0) }
    answer.sessionID = session
    return answer
  }

  /// Asks until there is nothing to ask; returns the questions' start lines and methods.
  private static func talk(
    _ events: [TraceEvent], _ answers: [Negotiation.Answer]
  ) -> (asked: [String], spoken: SpokenRevisions) {
    var negotiation = Negotiation(Conversation.traffic(events), AgentSimulation.target)
    var asked: [String] = []
    while let question = negotiation.next() {
      let text = String(buffer: question.bytes)
      let method = JSONValue(parsing: String(text.suffix(question.bodyLength)))?["method"]?.string
      asked.append(method ?? String(text.prefix { $0 != " " }))
      guard asked.count <= answers.count else { break }
      negotiation.take(answers[asked.count - 1])
    }
    return (asked, negotiation.spoken)
  }

  @Test func `a session is asked for and ended again`() {
    let welcome = Self.answer(200, result: #"{"protocolVersion":"2025-06-18"}"#, session: "x")
    let talk = Self.talk(Conversation.desk(), [welcome, Self.answer(200)])
    #expect(talk.asked == ["initialize", "DELETE"])
    #expect(talk.spoken.withSessions == .speaks(Revision("2025-06-18")))
    #expect(talk.spoken.stateless == .unknown)
  }

  @Test(arguments: [
    Negotiation.Answer(), answer(401), answer(429), answer(503), answer(500, error: "{}"),
  ])
  func `silence, trouble and demands for credentials decide nothing`(_ answer: Negotiation.Answer) {
    let talk = Self.talk(Conversation.desk() + Self.modern(), [answer, answer])
    #expect(talk.asked == ["initialize", "server/discover"])
    #expect(talk.spoken == SpokenRevisions())
  }

  @Test(arguments: [
    answer(400, error: #"{"code":-32022}"#), answer(404), answer(405),
    answer(200, error: #"{"code":-32601}"#), answer(nil, error: #"{"code":-32601}"#),
  ])
  func `a refusal of sessions leads to the other question, and to the tools' schemas`(
    _ refusal: Negotiation.Answer
  ) {
    let tools = #"""
      {"tools":[{"name":"a","inputSchema":{"properties":{"r":{"type":"string","x-mcp-header":"Region"},
      "o":{"properties":{"p":{"x-mcp-header":"Part"}}},"q":{"x-mcp-header":"bad name"}}}},{"name":"b"}],
      "nextCursor":"2"}
      """#
    let talk = Self.talk(
      Conversation.desk(),
      [
        refusal, Self.answer(200, result: #"{"supportedVersions":["2025-11-25","2026-07-28"]}"#),
        Self.answer(200, result: tools), Self.answer(200, result: #"{"tools":[]}"#),
      ])
    #expect(talk.asked == ["initialize", "server/discover", "tools/list", "tools/list"])
    var spoken = SpokenRevisions()
    spoken.withSessions = .refused
    spoken.stateless = .speaks(Self.stateless)
    spoken.mirrored = [
      "a": [
        .init(name: "Region", path: ValuePath(steps: [.child("arguments"), .child("r")])),
        .init(
          name: "Part", path: ValuePath(steps: [.child("arguments"), .child("o"), .child("p")])),
      ]
    ]
    #expect(talk.spoken == spoken)
  }

  @Test(arguments: [
    answer(400, error: #"{"code":-32600,"message":"Missing session ID"}"#, session: "phantom"),
    answer(200, result: #"{"supportedVersions":["2025-11-25"]}"#),
  ])
  func `a refusal of stateless requests leads to the handshake`(_ refusal: Negotiation.Answer) {
    let welcome = Self.answer(200, result: #"{"protocolVersion":"2025-11-25"}"#)
    let talk = Self.talk(Self.modern(), [refusal, welcome])
    #expect(talk.asked == ["server/discover", "initialize"])
    #expect(talk.spoken.stateless == .refused)
    #expect(talk.spoken.withSessions == .speaks(Self.sessions))
  }

  @Test func `only what is refused is told otherwise, and only where the other kind is spoken`() {
    let traffic = Conversation.traffic(Conversation.desk() + Self.modern())
    var spoken = SpokenRevisions()
    #expect(traffic.told(to: spoken) == traffic)
    spoken.stateless = .speaks(Self.stateless)
    #expect(traffic.told(to: spoken) == traffic)
    spoken.withSessions = .refused
    let told = traffic.told(to: spoken).scripts.map { [$0.recordedRevision, $0.revision] }
    #expect(told == [["2025-11-25", "2026-07-28"], [nil, nil]])
    spoken.stateless = .refused
    #expect(traffic.told(to: spoken) == traffic)
  }
}
