import Basics
import ReplayPlan
import TestKit
import Trace

/// Recorded conversations that the tests replay; times are milliseconds.
enum Conversation {
  static let millisecond: Int64 = 1_000_000

  /// Initialize, a search, two parallel reads, a write, DELETE; the recording's own times are kept to the nanosecond.
  static func desk(_ name: String = "s1", at start: Int64 = 0) -> [TraceEvent] {
    var script = SessionLines(name, start: start)
    let hello = script.request("initialize", t: 0, params: initialize)
    let welcome = script.answer(hello, t: 5_000_123)
    script.notification(
      "notifications/initialized", t: 6_000_000, done: 7_500_001, after: [welcome])
    script.stream(t: 8_000_001, after: [welcome])
    let search = script.call("search", t: 1_000_000_017, turn: 1, after: [welcome])
    let found = script.answer(search, t: 1_020_000_019)
    let one = script.call("read", t: 3_000_000_001, turn: 2, after: [found])
    let two = script.call("read", t: 3_002_000_003, turn: 2, after: [found])
    let secondRead = script.answer(two, t: 3_030_000_000)
    let firstRead = script.answer(one, t: 3_100_000_007)
    let write = script.call("write", t: 4_000_000_011, turn: 3, after: [firstRead, secondRead])
    let written = script.answer(write, t: 4_050_000_000)
    script.delete(t: 5_000_000_000, done: 5_001_000_000, after: [written])
    return script.events
  }

  static let initialize =
    #"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}"#

  static func traffic(_ events: [TraceEvent]) -> RecordedTraffic {
    var builder = ScriptBuilder()
    for event in events { builder.add(event) }
    return builder.finish()
  }

  static func plan(
    _ traffic: RecordedTraffic, _ change: (inout PlanOptions) -> Void = { _ in }
  ) -> Plan {
    var options = PlanOptions()
    change(&options)
    return Planner(traffic, options).plan()
  }

  static func script(_ events: [TraceEvent]) -> SessionScript {
    traffic(events).scripts.first ?? SessionScript(name: "", endpoint: "", path: "")
  }

  /// A recorded pair: `make`, and `use` with `arguments` and these `uses` of its answer; `tail` adds a `drop` that needs that of `use`.
  static func pair(
    _ uses: String, arguments: String = #"{"id":"old"}"#, tail: Bool = false,
    change: (inout RequestLine) -> Void = { _ in }
  ) -> [TraceEvent] {
    var lines = SessionLines("s1", start: 0, by: .clientInfo)
    let make = lines.call("make", t: 0, turn: 1)
    let made = lines.answer(make, t: 10)
    let use = lines.call("use", t: 100, turn: 2, after: [made], arguments: arguments) {
      $0.uses = JSONValue(parsing: uses.replacing("FROM", with: "\(made)"))
      change(&$0)
    }
    let used = lines.answer(use, t: 110)
    if tail {
      lines.call("drop", t: 200, turn: 3, after: [used], arguments: #"{"token":"t"}"#) {
        $0.uses = JSONValue(
          parsing: #"[{"at":"/arguments/token","from":\#(used),"path":"/structuredContent/token"}]"#
        )
      }
    }
    return lines.events
  }
}
