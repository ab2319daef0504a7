import Dissection
import TestKit
import Testing
import Trace

/// Rounds of calls that a server answers `input_required` (2026-07-28).
struct `Rounds of a call` {
  private static let meta =
    #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"a","version":"1"}}"#

  private static func call(_ id: Int, _ arguments: String, _ more: String = "") -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"t","arguments":{"of":\#(arguments)},\#(more)\#(meta)}}"#
  }

  private static func asks(_ key: String, state: String = "") -> String {
    #""resultType":"input_required","inputRequests":{"\#(key)":{"method":"elicitation/create"}}\#(state)"#
  }

  private static func says(_ key: String) -> String {
    #""inputResponses":{"\#(key)":{"action":"accept"}},"#
  }

  /// The request that each of these continues, by place, with their answers.
  private func continued(_ talk: [(String, String)]) -> [Int?] {
    var script = FlowScript()
    let flow = script.open()
    for (i, (request, result)) in talk.enumerated() {
      script.post(flow, request)
      script.pause(20)
      script.json(flow, #"{"jsonrpc":"2.0","id":\#(i + 1),"result":{\#(result)}}"#)
      script.pause(500)
    }
    let trace = Dissected(script.events)
    let places = Dictionary(
      uniqueKeysWithValues: trace.requests.enumerated().map { ($1.n, $0) })
    return trace.requests.map { $0.continues.flatMap { places[$0] } }
  }

  @Test func `are known by what they answer, where there is no state to echo`() {
    #expect(
      continued([
        (Self.call(1, "1"), Self.asks("k")),
        (Self.call(2, "1", Self.says("k")), Self.asks("l")),
        (Self.call(3, "1", Self.says("l")), #""content":[]"#),
        (Self.call(4, "1"), #""content":[]"#),
      ]) == [nil, 0, 1, nil])
  }

  @Test func `of two calls answer their own`() {
    #expect(
      continued([
        (Self.call(1, "1"), Self.asks("k")), (Self.call(2, "2"), Self.asks("k")),
        (Self.call(3, "1", Self.says("k")), #""content":[]"#),
        (Self.call(4, "2", Self.says("k")), #""content":[]"#),
        (Self.call(5, "3", Self.says("k")), #""content":[]"#),
      ]) == [nil, nil, 0, 1, nil])
  }

  @Test func `are known by their state, where there is one`() {
    #expect(
      continued([
        (Self.call(1, "1"), Self.asks("k", state: #","requestState":"s1""#)),
        (Self.call(2, "1", Self.says("k") + #""requestState":"s1","#), #""content":[]"#),
      ]) == [nil, 0])
  }
}
