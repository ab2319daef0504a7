import Basics
import Testing

@testable import Trace

struct `Words of lines` {
  @Test func `are the raw values`() {
    #expect(Via.allCases.map { "\($0.word)" } == Via.allCases.map(\.rawValue))
    #expect(Origin.allCases.map { "\($0.word)" } == Origin.allCases.map(\.rawValue))
    #expect(AfterReason.allCases.map { "\($0.word)" } == AfterReason.allCases.map(\.rawValue))
    #expect(Outcome.allCases.map { "\($0.word)" } == Outcome.allCases.map(\.rawValue))
    let ends = ResponseLine.EndedBy.allCases
    #expect(ends.map { "\($0.word)" } == ends.map(\.rawValue))
    #expect([Direction.c2s, .s2c].map { "\($0.word)" } == [Direction.c2s, .s2c].map(\.name))
  }
}
