import Basics
import Testing
import Trace

struct `Words of lines` {
  private func word(_ key: String, _ event: TraceEvent) -> String? { event.line.value[key]?.string }

  private func request(_ change: (inout RequestLine) -> Void) -> TraceEvent {
    var line = RequestLine(
      session: "s1", n: 1, t: 0, dir: .c2s, id: RawJSON(.int(1)), method: "ping")
    change(&line)
    return .request(line)
  }

  private func response(_ change: (inout ResponseLine) -> Void) -> TraceEvent {
    var line = ResponseLine(session: "s1", n: 2, re: 1, t: 1, dir: .s2c, outcome: .ok)
    change(&line)
    return .response(line)
  }

  @Test func `are the raw values`() {
    for via in Via.allCases { #expect(word("via", request { $0.via = via }) == via.rawValue) }
    for origin in Origin.allCases {
      #expect(word("origin", request { $0.origin = origin }) == origin.rawValue)
    }
    for reason in AfterReason.allCases {
      #expect(word("after_by", request { $0.afterBy = reason }) == reason.rawValue)
    }
    for outcome in Outcome.allCases {
      #expect(word("outcome", response { $0.outcome = outcome }) == outcome.rawValue)
    }
    for by in ResponseLine.EndedBy.allCases {
      #expect(word("by", response { $0.by = by }) == by.rawValue)
    }
    for direction in [Direction.c2s, .s2c] {
      #expect(word("dir", response { $0.dir = direction }) == direction.name)
    }
  }
}
