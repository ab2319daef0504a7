import Analysis
import Basics
import TestKit
import Testing
import Trace

/// A recording of some agents, and traces of replays of it that are good or bad in one way.
@Suite struct `Fidelity of a replay` {
  /// An agent: `search`, then two `read` side by side, then `write`; think times in milliseconds.
  private static func session(
    _ name: String, at start: Int64, thinks: [Int64], service: Int64 = 10, id: String = "T-1",
    source: String? = nil, clone: Int = 0, planned: Int64? = nil, failing: Bool = false,
    swapped: Bool = false
  ) -> TraceScript {
    var script = TraceScript(name, at: start)
    if let source, case .session(var line) = script.events[0] {
      line.extra = [
        ExtraMember(
          key: "source",
          value: RawJSON(
            .object([
              .init("session", .string(source)), .init("clone", .int(clone)),
              .init("start", .int((planned ?? start) * 1_000_000)),
            ])))
      ]
      script.events[0] = .session(line)
    }
    let hello = script.sdk("initialize", at: start)
    var last = [script.answer(hello, at: start + 2)]
    var t = start + 2
    for (i, think) in thinks.enumerated() {
      t += think
      let tools =
        i == 1 ? ["read", "read"] : [swapped && i == 0 ? "write" : i == 0 ? "search" : "write"]
      let calls = tools.enumerated().map { k, tool in
        script.call(tool, at: t, turn: i + 1, after: last) {
          $0.params = RawJSON(
            .object([
              .init("name", .string(tool)),
              .init("arguments", .object([.init("id", .string("\(id)-\(k)"))])),
            ]))
          $0.uses = .array([.object([.init("at", .string("/arguments/id"))])])
        }
      }
      t += service
      last = calls.map { script.answer($0, at: t, failing && i == 2 ? .toolError : .ok) }
    }
    script.end(at: t)
    return script
  }

  private static let recording = TraceContents(
    events: TraceScript.closed(
      (0..<20).flatMap { i in
        session("s\(i)", at: Int64(i) * 700, thinks: thinks(i)).events
      }))

  private static func thinks(_ i: Int) -> [Int64] {
    [500 + Int64(i * 137 % 400), 900 + Int64(i * 61 % 700), 2000 + Int64(i * 211 % 1500)]
  }

  private static func replay(
    _ sessions: [TraceScript], extra: String = #"{"think_scale":1,"burst":"independent"}"#
  ) throws -> TraceContents {
    var events = TraceScript.closed(sessions.flatMap(\.events))
    guard case .header(let line) = events[0] else { return TraceContents(events: events) }
    var header = HeaderLine(recorder: "replay", source: .replay, t0: line.t0)
    header.extra = [
      ExtraMember(key: "replay", value: RawJSON(try #require(JSONValue(parsing: extra))))
    ]
    events[0] = .header(header)
    return TraceContents(events: events)
  }

  /// The same sessions again, each changed by `change`.
  private static func copies(
    _ change: (Int) -> TraceScript
  ) throws -> TraceContents { try replay((0..<20).map(change)) }

  private func missed(_ replay: TraceContents) throws -> [String] {
    let fidelity = try ReplayFidelity(Self.recording, replay)
    #expect(fidelity.isFaithful == fidelity.gates.allSatisfy { $0.isMet != false })
    return fidelity.gates.filter { $0.isMet == false }.map(\.name)
  }

  @Test func `a replay that does all as recorded is faithful, whatever the server's speed`() throws
  {
    for service in [10, 200] as [Int64] {
      let replay = try Self.copies { i in
        Self.session(
          "r\(i)", at: Int64(i) * 700, thinks: Self.thinks(i), service: service, source: "s\(i)")
      }
      #expect(try missed(replay) == [])
      let fidelity = try ReplayFidelity(Self.recording, replay)
      #expect(fidelity.sessions == 20 && fidelity.sources == 20 && fidelity.exact == 20)
      #expect(fidelity.thinkError.max == 0 && fidelity.executionRMSE == 0)
      #expect(fidelity.arguments == (verbatim: 80, rewritten: 0, other: 0))
    }
  }

  @Test func `shuffled gaps are called out`() throws {
    let replay = try Self.copies { i in
      let thinks = Self.thinks(i)
      return Self.session(
        "r\(i)", at: Int64(i) * 700, thinks: [thinks[2], thinks[0], thinks[1]], source: "s\(i)")
    }
    let names = try missed(replay)
    #expect(names.contains("think error p50") && names.contains("execution RMSE"))
  }

  @Test func `a slow generator is called out, by its tail and by its starts`() throws {
    let stalls = try Self.copies { i in
      var thinks = Self.thinks(i)
      if i == 7 { thinks[1] += 60 }
      return Self.session("r\(i)", at: Int64(i) * 700, thinks: thinks, source: "s\(i)")
    }
    #expect(try missed(stalls).prefix(2) == ["think error p99", "think error max"])
    let late = try Self.copies { i in
      Self.session(
        "r\(i)", at: Int64(i) * 800, thinks: Self.thinks(i), source: "s\(i)",
        planned: Int64(i) * 700)
    }
    #expect(try missed(late) == ["execution RMSE"])
  }

  @Test func `lockstep with two seconds of jitter is not what an independent plan says`() throws {
    // Twenty copies of the recording on one another; the plan says bursts as those of one.
    let jitter: [Int64] = (0..<400).map { Int64($0 * 7919 % 2000) }
    let copies = (0..<400).map { k in
      let i = k / 20
      let start = Int64(i) * 700 + jitter[k]
      return Self.session(
        "r\(k)", at: start, thinks: Self.thinks(i), source: "s\(i)", clone: k % 20)
    }
    let once = try ReplayFidelity(
      Self.recording,
      Self.copies { i in
        Self.session("r\(i)", at: Int64(i) * 700, thinks: Self.thinks(i), source: "s\(i)")
      })
    let own = try #require(once.dispersion.first { $0.window == "0.1s" }?.recorded)
    let plan = #"{"burst":"independent","idc_band":{"0.1s":[\#(own * 0.5),\#(own * 1.5)]}}"#
    #expect(try missed(Self.replay(copies, extra: plan)) == ["IDC 0.1s"])
    #expect(try missed(Self.replay(copies)) == [])
  }

  @Test func `calls that are missing, others, or too early break the chain`() throws {
    let short = try Self.copies { i in
      Self.session(
        "r\(i)", at: Int64(i) * 700,
        thinks: i == 3 ? Array(Self.thinks(i).prefix(2)) : Self.thinks(i),
        source: "s\(i)")
    }
    #expect(try missed(short) == ["chains exact"])
    #expect(
      try ReplayFidelity(Self.recording, short).faults == ["s3 copy 0: write (n9) was not sent"])
    let other = try Self.copies { i in
      Self.session(
        "r\(i)", at: Int64(i) * 700, thinks: Self.thinks(i), source: "s\(i)", swapped: i == 4)
    }
    #expect(try missed(other).contains("chains exact"))
    let early = try Self.copies { i in
      var thinks = Self.thinks(i)
      if i == 5 { thinks[1] = -3 }
      return Self.session("r\(i)", at: Int64(i) * 700, thinks: thinks, source: "s\(i)")
    }
    let names = try missed(early)
    #expect(names.prefix(2) == ["chains exact", "sent before an answer"])
    #expect(try ReplayFidelity(Self.recording, early).early == 2)
  }

  @Test func `arguments and outcomes are held against the recording`() throws {
    let replay = try Self.copies { i in
      Self.session(
        "r\(i)", at: Int64(i) * 700, thinks: Self.thinks(i), id: i < 5 ? "T-9" : "T-1",
        source: "s\(i)", failing: i == 2)
    }
    let fidelity = try ReplayFidelity(Self.recording, replay)
    #expect(fidelity.arguments == (verbatim: 60, rewritten: 20, other: 0))
    #expect(fidelity.tools["write"]?.okErr == 1 && fidelity.tools["write"]?.okOK == 19)
    #expect(fidelity.exact == 20)
  }

  @Test func `a scaled plan has scaled think times`() throws {
    let halved = (0..<20).map { i in
      Self.session(
        "r\(i)", at: Int64(i) * 350, thinks: Self.thinks(i).map { min($0 / 2, 800) },
        source: "s\(i)")
    }
    #expect(
      try missed(Self.replay(halved, extra: #"{"think_scale":0.5,"max_think_ms":800}"#)) == [])
    #expect(try missed(Self.replay(halved)).contains("think error p50"))
    #expect(try missed(Self.replay(halved, extra: #"{"think_jitter":"uniform:0.5"}"#)) == [])
  }

  @Test func `what is no replay of it can't be compared`() throws {
    #expect(throws: ReplayFidelity.Incomparable.noReplay) {
      try ReplayFidelity(Self.recording, Self.recording)
    }
    let foreign = try Self.replay([Self.session("r", at: 0, thinks: [5, 5, 5], source: "s99")])
    #expect(throws: ReplayFidelity.Incomparable.noCommonSession) {
      try ReplayFidelity(Self.recording, foreign)
    }
  }
}
