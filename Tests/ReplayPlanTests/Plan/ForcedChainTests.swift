import ReplayPlan
import TestKit
import Testing
import Trace

/// Chains that the user says.
struct Chaining {
  private let traffic = Conversation.traffic(
    Conversation.desk("s1") + Conversation.desk("s2", at: 700_000_000)
      + Conversation.pair(#"[{"at":"/arguments/id","from":FROM,"path":"/id"}]"#))

  private func chained(_ text: String, seed: UInt64 = 1) throws -> RecordedTraffic {
    let chain = try #require(ForcedChain(text))
    return try chain.applied(to: traffic, seed: seed)
  }

  private func tools(_ script: SessionScript) -> [String] {
    script.steps.filter(\.isCall).map { $0.tool ?? "" }
  }

  @Test func `every session makes the chain between its handshake and its end`() throws {
    let chained = try chained("write,search,read")
    for script in chained.scripts { #expect(tools(script) == ["write", "search", "read"]) }
    let desk = try #require(chained.scripts.first { $0.name == "s2" })
    #expect(desk.steps.first?.method == "initialize")
    #expect(desk.steps.last?.kind == .delete)
    let calls = desk.steps.indices.filter { desk.steps[$0].isCall }
    #expect(calls.map { desk.steps[$0].turn } == [1, 2, 3])
    #expect(desk.steps[calls[1]].after == [calls[0]])
    #expect(desk.steps[calls[0]].after == [0])
  }

  @Test func `alternatives are drawn, each as likely as the other`() throws {
    var counts: [String: Int] = [:]
    for seed in 0..<200 as Range<UInt64> {
      for script in try chained("search,(read|write)", seed: seed).scripts {
        counts[tools(script)[1], default: 0] += 1
      }
    }
    #expect((220...380).contains(counts["read"] ?? 0))
    #expect(counts.values.reduce(0, +) == 600)
  }

  @Test func `think times are those between the same two tools`() throws {
    let desk = try #require(try chained("search,read").scripts.first)
    let read = try #require(desk.steps.last { $0.isCall })
    #expect(read.think == 3_000_000_001 - 1_020_000_019)
  }

  @Test func `a value is taken live where the call that gives it is in the chain before`() throws {
    let bound = try chained("make,use").scripts.map { script in
      script.steps.filter(\.isCall).map(\.bindings.count)
    }
    #expect(bound.contains([0, 1]))
    #expect(try chained("use").scripts.allSatisfy { $0.values.isEmpty })
  }

  @Test func `a tool that was not recorded is told`() {
    #expect(throws: ForcedChain.Missing.self) { try chained("search,nothing") }
  }

  @Test(arguments: ["", "a,", "(a|b", "a|b", "(a|),b", "(a)b", ",a"])
  func `what is no chain is refused`(_ text: String) {
    #expect(ForcedChain(text) == nil)
  }
}
