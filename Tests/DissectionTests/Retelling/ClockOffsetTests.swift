import Basics
import Dissection
import TestKit
import Testing
import Trace

/// A trace of calls that carry and give out values, at milliseconds.
private struct Told {
  var events: [TraceEvent]
  private var n = 0

  init() {
    events = [
      .header(
        HeaderLine(recorder: "record 0.1.0", source: .proxy, t0: Timestamp(nanoseconds: 0)))
    ]
  }

  /// A call at `t` with a value, whose answer is there 5 ms later and gives out another.
  mutating func call(_ t: Int64, carries: String? = nil, gives: String? = nil) {
    n += 2
    var request = RequestLine(
      session: "s1", n: n - 1, t: t * 1_000_000, dir: .c2s, id: RawJSON(.int(n)),
      method: "tools/call")
    request.params = RawJSON(
      .object([
        .init("name", .string("tool")),
        .init("arguments", .object(carries.map { [.init("case", .string($0))] } ?? [])),
      ]))
    (request.conn, request.x, request.via) = (1, n, .post)
    var response = ResponseLine(
      session: "s1", n: n, re: n - 1, t: (t + 5) * 1_000_000, dir: .s2c, outcome: .ok)
    response.done = response.t
    response.result = RawJSON(
      .object([
        .init(
          "structuredContent", .object(gives.map { [.init("case", .string($0))] } ?? []))
      ]))
    (response.conn, response.x, response.via, response.status) = (1, n, .json, 200)
    events += [.request(request), .response(response)]
  }
}

struct `A recorder's clock` {
  @Test func `is taken as it is when nothing contradicts it`() throws {
    var (a, b) = (Told(), Told())
    a.call(0, gives: "case-11aa22bb")
    b.call(100, carries: "case-11aa22bb", gives: "case-33cc44dd")
    a.call(200, carries: "case-33cc44dd")
    let clock = try Retold(a.events, b.events).clocks[1]
    // From 95 ms earlier to 95 ms later all is in order.
    #expect(clock.offset == 0)
    #expect((clock.low, clock.high) == (-95_000_000, 95_000_000))
    #expect((clock.bounds, clock.contradictions) == (2, 0))
  }

  @Test func `is put into the middle of what is left`() throws {
    var (a, b) = (Told(), Told())
    a.call(0, gives: "case-11aa22bb")
    b.call(3_100, carries: "case-11aa22bb", gives: "case-33cc44dd")
    a.call(200, carries: "case-33cc44dd")
    let clock = try Retold(a.events, b.events).clocks[1]
    #expect(clock.offset == -3_000_000_000)
    #expect(clock.contradictions == 0)
  }

  @Test func `is moved no more than must be where one end is open`() throws {
    var (a, b) = (Told(), Told())
    a.call(3_000, gives: "case-11aa22bb")
    b.call(0, carries: "case-11aa22bb")
    let clock = try Retold(a.events, b.events).clocks[1]
    #expect(clock.offset == 3_005_000_000)
    #expect(clock.high == nil)
  }

  @Test func `is not moved by one value that is there by chance`() throws {
    var (a, b) = (Told(), Told())
    for i in 0..<10 {
      a.call(Int64(i) * 1000, gives: "case-11aa22b\(i)")
      b.call(Int64(i) * 1000 + 100, carries: "case-11aa22b\(i)", gives: "case-33cc44d\(i)")
      a.call(Int64(i) * 1000 + 200, carries: "case-33cc44d\(i)")
    }
    b.call(0, carries: "case-99ee99ee")
    a.call(9_900, gives: "case-99ee99ee")
    let clock = try Retold(a.events, b.events).clocks[1]
    #expect(clock.offset == 0)
    #expect((clock.bounds, clock.contradictions) == (21, 1))
  }

  @Test func `is found by way of a third recorder`() throws {
    var (a, b, c) = (Told(), Told(), Told())
    a.call(0, gives: "case-11aa22bb")
    b.call(3_100, carries: "case-11aa22bb", gives: "case-33cc44dd")
    a.call(200, carries: "case-33cc44dd")
    b.call(3_300, gives: "case-55ee66ff")
    c.call(-4_600, carries: "case-55ee66ff", gives: "case-77aa88bb")
    b.call(3_500, carries: "case-77aa88bb")
    let clocks = try Retold(a.events, b.events, c.events).clocks
    #expect(clocks.map(\.offset) == [0, -3_000_000_000, 5_000_000_000])
  }
}
