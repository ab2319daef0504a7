import Basics
import Glibc
import ReplayEngine
import ReplayPlan
import Synchronization
import TestKit
import Testing
import Trace

private let fine = #""result":{"content":[]}"#

/// Replays with tokens that a server takes for a while.
@Suite(.timeLimit(.minutes(5)))
struct `Bearer tokens of a run` {
  /// A server that takes one token, until a test tells it another; it repeats what it was given.
  private final class Gate: Sendable {
    let token: Mutex<String>

    init(_ token: String) { self.token = Mutex(token) }

    func server() async throws -> TinyServer {
      try await TinyServer.start { [self] request in
        // The run looks first whether the target is there.
        let given = request.fields.first("authorization")
        guard given == "Bearer " + token.withLock({ $0 }) else { return .status(401) }
        switch (request.method, request.body["method"]?.string) {
        case ("GET", _): return .stream
        case ("DELETE", _): return .status(200)
        case (_, "initialize"): return .json(#""result":{"protocolVersion":"2025-11-25"}"#)
        case (_, "tools/call") where request.tool == "side":
          return .json(#""result":{"isError":true,"text":"you are \#(given ?? "")"}"#)
        case (_, "tools/call"): return .json(fine)
        default: return .status(202)
        }
      }
    }
  }

  private func write(_ text: String, _ path: String) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    let count = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
    }
    #expect(count == bytes.count)
  }

  @Test func `those that were refused share a renewal, and nothing shows the token`() async throws {
    let gate = Gate("tok-two")
    let server = try await gate.server()
    let mark = try TemporaryFile.with { $0 }
    let path = try TemporaryFile.with { $0 }
    defer {
      unsafe unlink(mark)
      unsafe unlink(path)
    }
    // It gives the first token once, then the other.
    let command = "if test -s \(mark); then echo tok-two; else echo tok-one; fi; echo run >>\(mark)"
    let keeper = try await BearerKeeper(.command(["sh", "-c", command]))
    let trace = try RunTrace(path: path)
    let summary = try await Load.run(Load.traffic(sessions: 2), port: server.port) {
      $0.count = .multiply(5)
      $0.burst = .lockstep
    } run: {
      $0.bearer = keeper
      $0.trace = trace
    }
    _ = try await trace.close(bytes: 0, lost: .init(count: 0, bytes: 0))
    #expect(summary.outcomes == [.ok: 30, .toolError: 20])
    #expect(summary.requests == ["initialize": 10])
    #expect(keeper.credential.version == 2)
    #expect(server.requests.count { $0.fields.first("authorization") == "Bearer tok-one" } == 10)
    #expect(summary.samples.contains { $0.answer?.contains("you are") == true })
    #expect(summary.samples.allSatisfy { $0.answer?.contains("tok-") != true })
    let events = try TraceReader.events(of: path)
    let text = events.map(\.line.text).joined(separator: "\n")
    #expect(text.contains("you are") && !text.contains("tok-one") && !text.contains("tok-two"))
    let repeated = events.compactMap { event -> RequestLine? in
      if case .request(let line) = event, line.retryOf != nil { line } else { nil }
    }
    #expect(repeated.map(\.method) == Array(repeating: "initialize", count: 10))
    try await server.kill()
  }

  @Test func `a file is read again when it changes`() async throws {
    let gate = Gate("tok-one")
    let server = try await gate.server()
    let path = try TemporaryFile.with { $0 }
    defer { unsafe unlink(path) }
    write("tok-one\n", path)
    let keeper = try await BearerKeeper(.file(path))
    async let running = Load.run(Load.traffic(turns: 8, think: 500), port: server.port) { _ in
    } run: {
      $0.bearer = keeper
    }
    while server.calls.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    write("tok-twenty\n", path)
    while keeper.credential.version == 1 { try await Task.sleep(for: .milliseconds(5)) }
    gate.token.withLock { $0 = "tok-twenty" }
    let summary = try await running
    #expect(summary.outcomes[.ok] == 8)
    #expect(server.requests.last?.fields.first("authorization") == "Bearer tok-twenty")
    try await server.kill()
  }

  @Test func `a server that refuses all gets each request twice`() async throws {
    let server = try await TinyServer.start { _ in .status(401) }
    let path = try TemporaryFile.with { $0 }
    defer { unsafe unlink(path) }
    write("tok-one", path)
    let keeper = try await BearerKeeper(.file(path))
    let summary = try await Load.run(Load.traffic(), port: server.port, run: { $0.bearer = keeper })
    #expect(summary.skippedBy == [.afterError: 5])
    #expect(server.requests.count == 2)
    try await server.kill()
  }

  @Test(
    arguments: [
      (BearerSource.file("/no/token"), true, "cannot read --bearer-file /no/token: No such file"),
      (.file("/dev/null"), true, "--bearer-file /dev/null: the first line is empty"),
      (.command(["/no/program"]), false, "cannot start /no/program"),
      (.command(["sh", "-c", "echo x; exit 3"]), false, "failed with exit code 3"),
      (.command(["true"]), false, "--bearer-command true: the first line is empty"),
      (.command(["echo", "se cret"]), false, "holds what no header can"),
    ])
  func `without a token the cause is said`(
    _ source: BearerSource, _ isInput: Bool, _ words: String
  ) async {
    let failure = await #expect(throws: BearerSource.Failure.self) {
      try await BearerKeeper(source)
    }
    #expect(failure?.isInput == isInput)
    #expect(failure?.description.contains(words) == true)
    #expect(failure?.description.contains("cret") == false)
  }
}
