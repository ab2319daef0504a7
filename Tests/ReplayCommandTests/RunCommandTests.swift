import Basics
import TestKit
import Testing
import Trace

/// What `replay run` and `replay plan` say and exit with.
struct `replay run and plan` {
  private func withTrace<R>(_ body: (String) throws -> R) throws -> R {
    var lines = SessionLines("s1", start: 0)
    let hello = lines.request("initialize", t: 0, params: "{}")
    let welcome = lines.answer(hello, t: 2_000_000)
    let list = lines.request("tools/list", t: 3_000_000, after: [welcome])
    let listed = lines.answer(
      list, t: 4_000_000,
      result: #"{"tools":[{"name":"look","annotations":{"readOnlyHint":true}},{"name":"burn"}]}"#)
    let look = lines.call("look", t: 500_000_000, turn: 1, after: [listed])
    let seen = lines.answer(look, t: 510_000_000)
    lines.call("burn", t: 7_200_000_000_000, turn: 2, after: [seen])
    lines.end(t: 7_200_000_000_001)
    let text = TraceScript.closed(lines.events).map { $0.line.text + "\n" }.joined()
    return try TemporaryFile.with(text) { try body($0) }
  }

  @Test func `the plan names length, cause, cure, writes and calls`() throws {
    let result = try withTrace {
      try Program.run("replay", ["plan", $0, "--multiply", "2", "--burst", "lockstep"])
    }
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n")
    #expect(lines[0] == "ends in 2 h; longest think 2 h at s1 n7; --max-think 2m: 2 m 1 s")
    #expect(lines[1] == "2 agents from 1 recorded session, 4 calls")
    #expect(lines.contains("  burn      2"))
    #expect(lines.last?.split(separator: " ").suffix(3) == ["burn", "2", "h"])
  }

  @Test func `a call that may write is refused with its count`() throws {
    let result = try withTrace {
      try Program.run("replay", ["run", $0, "--target", "http://127.0.0.1:1/mcp"])
    }
    #expect(result.status == 64)
    #expect(result.errors.contains("1 of the planned calls may write"))
    #expect(result.errors.contains("burn"))
  }

  private static let nobody = "run TRACE --target http://127.0.0.1:1/mcp"

  @Test(
    arguments: [
      "\(nobody) --skip burn --max-think 1s": 69, "\(nobody) --allow-writes --yes": 69,
      "run /nowhere.mcptrace --target http://127.0.0.1:1/mcp": 65,
      "run TRACE --target 127.0.0.1:1 --allow-writes": 64,
      "run TRACE --target http://a/ --on-error panic": 64,
      "run TRACE --target http://a/ --multiply 0": 64, "run TRACE": 64,
      "run TRACE --stdio true --target http://a/": 64, "run TRACE --stdio a'b": 64,
      "run TRACE --stdio /no/such/server --allow-writes --yes": 69, "plan TRACE --json": 0,
      "\(nobody) --skip burn --bearer-file /no/token": 65,
      "\(nobody) --skip burn --bearer-command false": 69,
      "\(nobody) --skip burn --feed /no/users.csv": 65,
      "\(nobody) --bearer-file a --bearer-command b": 64,
      "\(nobody) --bearer-file a --header authorization:b": 64,
      "run TRACE --stdio true --bearer-file a": 64,
      "preflight TRACE --target http://127.0.0.1:1/mcp": 69,
      "preflight TRACE --target http://127.0.0.1:1/mcp --skip look": 2,
      "preflight TRACE": 64, "preflight TRACE --stdio true --connections recorded": 64,
      "preflight /nowhere.mcptrace --stdio true": 65,
      "preflight TRACE --stdio true --map /no/values.csv": 65, "preflight TRACE --stdio false": 2,
      "\(nobody) --skip burn --summary /no/s": 73, "\(nobody) --skip burn --record /no/r": 73,
    ] as [String: Int32])
  func `each way to fail has its exit code`(_ command: String, _ status: Int32) throws {
    let result = try withTrace { path in
      try Program.run(
        "replay", command.split(separator: " ").map { $0 == "TRACE" ? path : String($0) })
    }
    #expect(result.status == status, "\(result.errors)")
    #expect(status == 0 || !result.errors.isEmpty)
  }

  @Test func `a run of more than two hours wants to be allowed`() throws {
    let result = try withTrace {
      try Program.run(
        "replay",
        ["run", $0, "--target", "http://127.0.0.1:1/mcp", "--allow-writes", "--time-scale", "2"])
    }
    #expect(result.status == 64)
    #expect(result.errors.contains("--max-think"))
  }
}
