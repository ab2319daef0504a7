import Basics
import ReplayEngine
import ReplayPlan
import Synchronization
import TestKit
import Testing

private let fine = #""result":{"content":[]}"#

/// Replays whose agents have something of their own.
@Suite(.timeLimit(.minutes(5)))
struct `Feeds of a run` {
  private func users(
    _ count: Int, plan change: (inout PlanOptions) -> Void
  ) async throws -> (users: [String: Int], notices: [String]) {
    let server = try await Load.server { _ in .json(fine) }
    let feed = try Feed(csv: "header.x-user\nann\nbob\neve\n")
    let notices = Mutex<[String]>([])
    _ = try await Load.run(
      Load.traffic(sessions: count), port: server.port, plan: change,
      run: { $0.notice = { text in notices.withLock { $0.append(text) } } }, feed: feed)
    let users = server.requests.filter { $0.body["method"]?.string == "initialize" }
      .compactMap { $0.fields.first("x-user") }
    #expect(server.requests.allSatisfy { $0.fields.first("x-user") != nil })
    try await server.kill()
    return (users.reduce(into: [:]) { $0[$1, default: 0] += 1 }, notices.withLock { $0 })
  }

  @Test func `each agent has its row`() async throws {
    let result = try await users(3) { _ in }
    #expect(result.users == ["ann": 1, "bob": 1, "eve": 1])
    #expect(result.notices == [])
  }

  @Test func `rows are given again, and it is said once`() async throws {
    let result = try await users(2) {
      $0.load = .agents(4)
      $0.count = .sessions(7)
    }
    #expect(result.users == ["ann": 3, "bob": 2, "eve": 2])
    #expect(
      result.notices == [
        "the feed has 3 rows, and there are more agents: rows are given again from the first"
      ])
  }
}
