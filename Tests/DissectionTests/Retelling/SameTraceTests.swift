import Basics
import Dissection
import NIOCore
import TestKit
import Testing
import Trace

/// Lines but for the header and the footer; their order in a file means nothing.
private func body(_ events: [TraceEvent]) -> [String] {
  events.filter {
    switch $0 {
    case .header, .footer: false
    default: true
    }
  }.map(\.line.text).sorted()
}

/// The trace of what a recorder saw of a conversation, by a clock that is `wrong` by so much.
private func view(
  _ events: [FlowEvent], t0: Timestamp, wrong: Int64 = 0, sees: (FlowID) -> Bool
) -> [TraceEvent] {
  let seen = events.filter { event in
    switch event {
    case .opened(let flow, _, _), .bytes(let flow, _, _, _), .gap(let flow, _, _, _),
      .ended(let flow, _, _, _):
      sees(flow)
    }
  }
  let dissected = Dissected(seen, t0: t0)
  let header = HeaderLine(recorder: "record 0.1.0", source: .proxy, t0: t0 + wrong)
  return [.header(header)] + dissected.events + [.footer(dissected.footer)]
}

/// What a message says of its session and its place there, without the names that merging changes: `n` counts requests and
/// responses alone, for when the answer to a GET began, and so the `n` of its stream, is in no trace.
private func places(_ events: [TraceEvent]) -> [String] {
  var keys: [String: String] = [:]
  var numbers: [String: [Int]] = [:]
  for event in events {
    switch event {
    case .session(let line):
      keys[line.session] = line.key?.value ?? keys[line.session] ?? "\(line.t)"
    case .request(let line): numbers[line.session ?? "", default: []].append(line.n)
    case .response(let line): numbers[line.session ?? "", default: []].append(line.n)
    default: break
    }
  }
  let ranks = numbers.mapValues { list in
    Dictionary(uniqueKeysWithValues: list.sorted().enumerated().map { ($1, $0) })
  }
  return events.compactMap { event in
    switch event {
    case .request(var line):
      let rank = ranks[line.session ?? ""] ?? [:]
      line.n = rank[line.n] ?? -1
      line.after = line.after?.map { rank[$0] ?? -1 }
      line.uses = line.uses.map { _ in
        .array(
          line.valueUses.map { use in
            var use = use
            use.from = rank[use.from] ?? -1
            return use.json
          })
      }
      line.session = line.session.map { keys[$0] ?? "" }
      (line.conn, line.x) = (nil, nil)
      return TraceEvent.request(line).line.text
    case .response(var line):
      let rank = ranks[line.session ?? ""] ?? [:]
      (line.n, line.re) = (rank[line.n] ?? -1, rank[line.re] ?? -1)
      line.session = line.session.map { keys[$0] ?? "" }
      (line.conn, line.x) = (nil, nil)
      return TraceEvent.response(line).line.text
    default: return nil
    }
  }.sorted()
}

struct `Retelling one trace` {
  @Test(arguments: BundledCapture.names) func `gives it again`(name: String) throws {
    let events = try TraceReader.events(of: BundledCapture.path("\(name).mcptrace"))
    let retold = try Retold(events)
    let (got, want) = (body(retold.events), body(events))
    let difference = zip(got, want).first { $0 != $1 }
    #expect(difference?.0 == difference?.1, "first line that differs")
    #expect(got.count == want.count)
    guard case .footer(var footer) = events.last else { return #expect(Bool(false)) }
    footer.counts = [:]
    #expect(retold.footer == footer)
    #expect(retold.clocks == [ClockOffset()])
  }

  @Test(arguments: BundledCapture.names) func `is the same twice`(name: String) throws {
    let events = try TraceReader.events(of: BundledCapture.path("\(name).mcptrace"))
    let once = try Retold(events)
    let twice = try Retold(events.prefix(1) + once.events + [.footer(once.footer)])
    #expect(twice.events == once.events)
  }
}

struct `Two views of a capture` {
  @Test(arguments: ["stateful-json", "modern-2026-07-28", "parallel-three-agents"])
  func `are told as it would have been by one recorder`(name: String) throws {
    let (events, t0) = try BundledCapture.flow(name)
    let whole = Dissected(events, t0: t0)
    let retold = try Retold(
      view(events, t0: t0) { $0.number % 2 == 0 }, view(events, t0: t0) { $0.number % 2 == 1 })
    let (got, want) = (places(retold.events), places(whole.events))
    let difference = zip(got, want).first { $0 != $1 }
    #expect(difference?.0 == difference?.1, "first line that differs")
    #expect(got.count == want.count)
    #expect(retold.footer.bytesIn == whole.footer.bytesIn)
    #expect(retold.footer.bytesExplained == whole.footer.bytesExplained)
    #expect(retold.clocks.map(\.offset) == [0, 0])
  }

  @Test(arguments: [-3_000_000_000, 3_000_000_000] as [Int64])
  func `by clocks that differ are put in order`(wrong: Int64) throws {
    let (events, t0) = try BundledCapture.flow("parallel-three-agents")
    let whole = Dissected(events, t0: t0)
    let retold = try Retold(
      view(events, t0: t0) { $0.number % 2 == 0 },
      view(events, t0: t0, wrong: wrong) { $0.number % 2 == 1 })
    #expect(retold.clocks[0].offset == 0)
    #expect(abs(retold.clocks[1].offset + wrong) < 500_000_000)
    #expect(retold.clocks[1].contradictions == 0)
    let sizes = { (requests: [RequestLine]) in
      Dictionary(grouping: requests) { $0.session }.values.map(\.count).sorted()
    }
    #expect(sizes(retold.requests) == sizes(whole.requests))
  }
}
