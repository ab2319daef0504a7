import Basics
import MCP
import NIOCore
import Testing
import Trace

/// Agents that share one endpoint, credential and name, as a test tells them.
private final class Scene {
  private var count = 0
  private var number = 0
  private(set) var truth: [Int: String] = [:]
  let solver: ChainSolver

  init() {
    var chains = 0
    solver = ChainSolver {
      chains += 1
      return chains
    }
  }

  /// A request of `agent` at `t` ms, answered `took` ms later.
  @discardableResult
  func call(
    _ agent: String, _ id: Int64, at t: Int64, says: String = "{}", hears: String = "{}",
    conn: Int? = nil, took: Int64 = 10, begins: Bool = false
  ) -> Int {
    let x = ask(agent, id, at: t, says: says, conn: conn, begins: begins)
    answer(x, at: t + took, hears)
    return x
  }

  func ask(
    _ agent: String, _ id: Int64, at t: Int64, says: String = "{}", conn: Int? = nil,
    begins: Bool = false
  ) -> Int {
    count += 1
    truth[count] = agent
    var evidence = ChainEvidence(
      x: count, t: t * 1_000_000, conn: conn ?? count,
      kind: begins ? .beginning(id: id) : .request(id: id))
    evidence.isCall = !begins
    evidence.read(json(#"{"name":"t","arguments":\#(says)}"#))
    solver.add(evidence)
    return count
  }

  func answer(_ x: Int, at t: Int64, _ result: String = "{}") {
    var answer = AnswerEvidence(done: t * 1_000_000)
    answer.read(json(#"{"structuredContent":\#(result)}"#), of: "tools/call", isStructured: true)
    solver.answer(x, answer)
  }

  private func json(_ text: String) -> RawJSON {
    RawJSON(validating: ByteBuffer(string: text)) ?? RawJSON(.null)
  }

  /// The agents of each chain's exchanges, in order.
  var chains: [[String]] {
    var found: [Int: [String]] = [:]
    for x in truth.keys.sorted() {
      if let chain = solver.chain(of: x) { found[chain.number, default: []].append(truth[x] ?? "") }
    }
    return found.keys.sorted().map { found[$0] ?? [] }
  }
}

struct `Chain solver` {
  @Test func `follows ids where agents are at different ones`() {
    let scene = Scene()
    scene.call("a", 0, at: 0, begins: true)
    for id in 1...5 { scene.call("a", Int64(id), at: Int64(id) * 100) }
    scene.call("b", 0, at: 550, begins: true)
    for id in 1...5 {
      scene.call("a", Int64(id) + 5, at: 500 + Int64(id) * 100)
      scene.call("b", Int64(id), at: 520 + Int64(id) * 100)
    }
    #expect(scene.chains.map { Set($0) } == [["a"], ["b"]])
  }

  @Test func `follows a handle where ids are equal`() {
    let scene = Scene()
    for agent in ["a", "b", "c"] {
      scene.call(agent, 0, at: 0, hears: #"{"h":"handle-\#(agent)71f3"}"#, begins: true)
    }
    for (id, order) in [(1, ["c", "a", "b"]), (2, ["b", "c", "a"]), (3, ["a", "c", "b"])] {
      for agent in order {
        scene.call(agent, Int64(id), at: Int64(id) * 100, says: #"{"h":"handle-\#(agent)71f3"}"#)
      }
    }
    #expect(scene.chains == [["a", "a", "a", "a"], ["b", "b", "b", "b"], ["c", "c", "c", "c"]])
    for chain in scene.solver.chains { #expect(scene.solver.confidence(of: chain) > 0.99) }
  }

  @Test func `exchanges what was decided wrongly between equals`() {
    let scene = Scene()
    for agent in ["a", "b"] {
      scene.call(agent, 0, at: 0, hears: #"{"h":"handle-\#(agent)71f3"}"#, begins: true)
    }
    // Nothing tells whose these are; the other way round than the order of the answers.
    scene.call("b", 1, at: 100)
    scene.call("a", 1, at: 101)
    scene.call("a", 2, at: 200, says: #"{"h":"handle-a71f3"}"#)
    let unclear = scene.chains
    scene.call("b", 2, at: 201, says: #"{"h":"handle-b71f3"}"#)
    #expect(scene.chains.map(\.count) == [3, 3])
    #expect(unclear.count == 2)
  }

  @Test func `keeps what one chain took too early out of the way of a handle`() {
    let scene = Scene()
    for agent in ["a", "b"] { scene.call(agent, 0, at: 0, begins: true) }
    scene.call("a", 1, at: 100, hears: #"{"h":"handle-a71f3"}"#)
    // b's first call has the id that b's chain waits for; its second one has that of a's chain.
    scene.call("b", 1, at: 150)
    scene.call("b", 2, at: 190)
    scene.call("a", 2, at: 300, says: #"{"h":"handle-a71f3"}"#)
    #expect(scene.chains.map { Set($0) } == [["a"], ["b"]])
  }

  @Test func `takes parallel calls in any order`() {
    let scene = Scene()
    scene.call("a", 0, at: 0, begins: true)
    let xs = [2, 1, 4, 3].map { scene.ask("a", $0, at: 100) }
    for x in xs { scene.answer(x, at: 150) }
    scene.call("a", 5, at: 300)
    #expect(scene.chains == [["a", "a", "a", "a", "a", "a"]])
  }

  @Test func `begins a chain where an agent joined in the middle`() {
    let scene = Scene()
    scene.call("a", 17, at: 0)
    scene.call("b", 90, at: 10)
    scene.call("a", 18, at: 100)
    scene.call("b", 91, at: 110)
    #expect(scene.chains == [["a", "a"], ["b", "b"]])
  }

  @Test func `is sure where each agent has its connection, and not where nothing tells`() {
    func run(ownConnections: Bool) -> [Double] {
      let scene = Scene()
      for (i, agent) in ["a", "b"].enumerated() {
        scene.call(agent, 0, at: 0, conn: ownConnections ? 1000 + i : nil, begins: true)
      }
      for id in 1...6 {
        for (i, agent) in ["a", "b"].enumerated() {
          scene.call(
            agent, Int64(id), at: Int64(id) * 100 + Int64(i), conn: ownConnections ? 1000 + i : nil)
        }
      }
      return scene.solver.chains.map { scene.solver.confidence(of: $0) }
    }
    #expect(run(ownConnections: true).allSatisfy { $0 > 0.9 })
    #expect(run(ownConnections: false).allSatisfy { $0 < 0.5 })
  }

  @Test func `moves nothing that was told`() {
    let scene = Scene()
    for agent in ["a", "b"] {
      scene.call(agent, 0, at: 0, hears: #"{"h":"handle-\#(agent)71f3"}"#, begins: true)
    }
    let b = scene.call("b", 1, at: 100)
    let a = scene.call("a", 1, at: 101)
    for x in [a, b] { scene.solver.fix(x) }
    let chains = [a, b].map { scene.solver.chain(of: $0)?.number }
    scene.call("a", 2, at: 200, says: #"{"h":"handle-a71f3"}"#)
    scene.call("b", 2, at: 201, says: #"{"h":"handle-b71f3"}"#)
    #expect([a, b].map { scene.solver.chain(of: $0)?.number } == chains)
  }

  @Test func `waits with what is in doubt`() {
    let scene = Scene()
    for agent in ["a", "b"] {
      scene.call(agent, 0, at: 0, hears: #"{"h":"handle-\#(agent)71f3"}"#, begins: true)
    }
    let x = scene.call("a", 1, at: 100)
    #expect(!scene.solver.isFirm(x))
    let later = scene.call("a", 2, at: 200, says: #"{"h":"handle-a71f3"}"#)
    #expect(scene.solver.isFirm(later))
    #expect(scene.solver.isFirm(x))
  }

  @Test func `forgets`() throws {
    let scene = Scene()
    let x = scene.call("a", 0, at: 0, begins: true)
    scene.call("b", 0, at: 0, begins: true)
    scene.solver.drop(x)
    #expect(scene.solver.chain(of: x) == nil)
    #expect(scene.solver.chains.count == 1)
    scene.solver.remove(try #require(scene.solver.chains.first))
    #expect(scene.chains == [])
  }
  @Test func `is let go with all that it knows`() {
    weak var chain: AgentChain?
    do {
      let scene = Scene()
      scene.call("a", 0, at: 0, begins: true)
      // Each call is tied to the one before: none may hold it for ever.
      for id in 1..<100_000 {
        scene.call(
          "a", Int64(id), at: Int64(id) * 20, says: #"{"id":"handle-\#(id - 1)-of-a"}"#,
          hears: #"{"id":"handle-\#(id)-of-a"}"#)
      }
      chain = scene.solver.chains.first
      #expect(chain != nil)
    }
    #expect(chain == nil)
  }
}
