import Basics
import Testing
import Trace

struct `Words of lines` {
  private func request(_ change: (inout RequestLine) -> Void) -> JSONValue {
    var line = RequestLine(
      session: "s1", n: 1, t: 0, dir: .c2s, id: RawJSON(.int(1)), method: "ping")
    change(&line)
    return TraceEvent.request(line).line.value
  }

  private func response(_ change: (inout ResponseLine) -> Void) -> JSONValue {
    var line = ResponseLine(session: "s1", n: 2, re: 1, t: 0, dir: .s2c, outcome: .ok)
    change(&line)
    return TraceEvent.response(line).line.value
  }

  @Test func `are the raw values`() {
    for via in Via.allCases {
      #expect(request { $0.via = via }["via"]?.string == via.rawValue)
      #expect(response { $0.via = via }["via"]?.string == via.rawValue)
    }
    for origin in Origin.allCases {
      #expect(request { $0.origin = origin }["origin"]?.string == origin.rawValue)
    }
    for reason in AfterReason.allCases {
      #expect(request { $0.afterBy = reason }["after_by"]?.string == reason.rawValue)
    }
    for outcome in Outcome.allCases {
      #expect(response { $0.outcome = outcome }["outcome"]?.string == outcome.rawValue)
    }
    for by in ResponseLine.EndedBy.allCases {
      #expect(response { $0.by = by }["by"]?.string == by.rawValue)
    }
    for direction in [Direction.c2s, .s2c] {
      #expect(request { $0.dir = direction }["dir"]?.string == direction.name)
    }
  }
}
