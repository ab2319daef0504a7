import Basics
import ReplayEngine
import ReplayPlan
import TestKit
import Trace

/// A recorded conversation of some milliseconds, and its replay.
enum Load {
  private static let millisecond: Int64 = 1_000_000

  /// Initialize, a GET stream, `turns` calls of `work` one after another with two parallel `side` calls at the end, DELETE.
  static func traffic(sessions: Int = 1, turns: Int = 3, think: Int64 = 20) -> RecordedTraffic {
    var builder = ScriptBuilder()
    for i in 0..<sessions {
      for event in session("s\(i + 1)", Int64(i) * 5 * millisecond, turns, think * millisecond) {
        builder.add(event)
      }
    }
    return builder.finish()
  }

  private static func session(
    _ name: String, _ start: Int64, _ turns: Int, _ think: Int64
  ) -> [TraceEvent] {
    var lines = SessionLines(name, start: start)
    let hello = lines.request(
      "initialize", t: 0,
      params:
        #"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}"#
    )
    var last = [lines.answer(hello, t: 2 * millisecond)]
    var t = 3 * millisecond
    lines.notification("notifications/initialized", t: t, done: t + millisecond, after: last)
    lines.stream(t: t + 2 * millisecond, after: last)
    t += 5 * millisecond
    for turn in 1...turns {
      t += think
      let call = lines.call("work", t: t, turn: turn, after: last)
      t += 3 * millisecond
      last = [lines.answer(call, t: t)]
    }
    t += think
    let one = lines.call("side", t: t, turn: turns + 1, after: last)
    let two = lines.call("side", t: t + 1000, turn: turns + 1, after: last)
    last = [
      lines.answer(one, t: t + 3 * millisecond), lines.answer(two, t: t + 4 * millisecond),
    ]
    t += 5 * millisecond
    lines.delete(t: t, done: t + millisecond, after: last)
    lines.end(t: t + 2 * millisecond)
    return lines.events
  }

  /// A well-behaved server; `calls` answers the calls.
  static func server(
    port: Int = 0, _ calls: @escaping @Sendable (TinyServer.Request) -> TinyServer.Reply
  ) async throws -> TinyServer {
    try await TinyServer.start(port: port) { request in
      switch (request.method, request.body["method"]?.string) {
      case ("GET", _): .stream
      case ("DELETE", _): .status(200)
      case (_, "initialize"): .json(#""result":{"protocolVersion":"2025-11-25"}"#)
      case (_, "tools/call"): calls(request)
      default: .status(202)
      }
    }
  }

  /// Runs a replay and returns its figures.
  static func run(
    _ traffic: RecordedTraffic, port: Int, plan change: (inout PlanOptions) -> Void = { _ in },
    run changeRun: (inout RunOptions) -> Void = { _ in }, stop: RunStop = RunStop(),
    feed: Feed? = nil
  ) async throws -> ReplaySummary {
    var planOptions = PlanOptions()
    change(&planOptions)
    var options = RunOptions()
    changeRun(&options)
    var target = ReplayTarget(
      host: "127.0.0.1", port: port, authority: "127.0.0.1:\(port)", path: nil)
    target.feed = feed
    let result = try await ReplayRun.perform(
      Planner(traffic, planOptions).plan(), target: target, options: options, stop: stop)
    return result.summary(of: traffic, maxLag: 3_600_000_000_000)
  }
}
