import Basics
import ReplayPlan
import TestKit
import Testing
import Trace

/// Trace context of clones: their own, joined within each.
struct `Trace context` {
  private static let trace = "0af7651916cd43dd8448eb211c80319c"
  private static let other = "4bf92f3577b34da6a3ce929d0e0e4736"

  /// Three calls, two of one trace; the context is in the header and in `_meta`.
  private func contexts(seed: UInt64, run: UInt64 = 1) throws -> [(header: String, meta: String)] {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    for (i, trace) in [Self.trace, Self.other, Self.trace].enumerated() {
      lines.request("tools/list", t: Int64(i) * 10) {
        $0.params = RawJSON(
          .object([
            .init(
              "_meta",
              .object([.init("traceparent", .string("00-\(trace)-00000000000000b\(i)-01"))]))
          ]))
      }
    }
    var session = Conversation.script(lines.events)
    for i in session.steps.indices {
      let trace = i == 1 ? Self.other : Self.trace
      session.steps[i].headers.append(
        HeaderField("traceparent", "00-\(trace)-00000000000000a\(i)-00"))
    }
    var agent = AgentSimulation(session, seed: seed) { _, _ in .init() }
    agent.runNumber = run
    agent.run()
    return try agent.requests.map {
      let meta = $0.body["params"]?["_meta"]?["traceparent"]?.string
      return (try #require($0.header("traceparent")), try #require(meta))
    }
  }

  @Test func `one recorded trace is one trace of the clone`() throws {
    let sent = try contexts(seed: 7)
    var parts: [[Substring]] = []
    for (header, meta) in sent {
      parts += [header.split(separator: "-"), meta.split(separator: "-")]
    }
    #expect(parts.allSatisfy { $0.map(\.utf8.count) == [2, 32, 16, 2] && $0[0] == "00" })
    let traces = parts.map { String($0[1]) }
    #expect(Set([traces[0], traces[1], traces[4], traces[5]]).count == 1)
    #expect(traces[2] == traces[3] && traces[2] != traces[0])
    #expect(!traces.contains(Self.trace) && !traces.contains(Self.other))
    #expect(Set(parts.map { $0[2] }).count == 6)
    #expect(parts.map { $0[3] } == ["00", "01", "00", "01", "00", "01"])
  }

  @Test func `clones and runs are told apart`() throws {
    let one = try contexts(seed: 7).map(\.header)
    #expect(try contexts(seed: 7).map(\.header) == one)
    #expect(try Set(contexts(seed: 8).map(\.header)).isDisjoint(with: one))
    #expect(try Set(contexts(seed: 7, run: 2).map(\.header)).isDisjoint(with: one))
  }
}
