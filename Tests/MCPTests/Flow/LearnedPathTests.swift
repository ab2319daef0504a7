import Basics
import MCP
import NIOCore
import TestKit
import Testing
import Trace

/// What a recorder learns of a value is what a replay finds it by.
struct `Learned paths` {
  private func handle(_ random: inout SeededGenerator) -> String {
    "h\(Int.random(in: 10_000_000...99_999_999, using: &random))-x"
  }

  /// A random value in which the handle stands somewhere, whole, in a sentence or in JSON inside a text.
  private func hide(
    _ handle: String, _ depth: Int, _ random: inout SeededGenerator
  ) -> JSONValue {
    let keys = ["id", "a/b", "m~n", "c#d", "ü", "0", "", "#", "~1"]
    let key = keys[Int.random(in: 0..<keys.count, using: &random)]
    switch depth == 0
      ? Int.random(in: 0...1, using: &random) : Int.random(in: 0...4, using: &random)
    {
    case 0: return .string(handle)
    case 1:
      return .string("Made \"\(handle)\", on line \(Int.random(in: 1...9, using: &random)).\n")
    case 2: return .object([.init("x", .bool(true)), .init(key, hide(handle, depth - 1, &random))])
    case 3: return .array([.null, hide(handle, depth - 1, &random), .string("tail")])
    default:
      let inner = JSONValue.object([.init(key, hide(handle, depth - 1, &random))])
      return .string(RandomJSON.spelling(of: inner, using: &random))
    }
  }

  private func part(_ json: RawJSON?, _ within: ValueUse.Surroundings?) -> String? {
    guard let within else { return json?.string }
    guard let bytes = json?.string.map({ Array($0.utf8) }) else { return nil }
    return within.range(in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  @Test func `lead to the value, on either end`() throws {
    var random = SeededGenerator(seed: SeededGenerator.freshSeed("learned paths"))
    var found = 0
    for _ in 0..<400 {
      let handle = handle(&random)
      let result = RawJSON(
        .object([.init("structuredContent", .object([.init("r", hide(handle, 3, &random))]))]))
      let params = RawJSON(
        .object([
          .init("name", .string("t")),
          .init("arguments", .object([.init("p", hide(handle, 2, &random))])),
        ]))
      var flow = ValueFlow()
      flow.learn(result, of: "tools/call", n: 2, done: 10)
      for use in flow.uses(in: params, at: 20) {
        found += 1
        let source = ValueSource(path: try #require(ValuePath(use.path)), within: use.within)
        #expect(source.value(in: result, headers: nil)?.string == handle, "\(use) \(result.text)")
        let at = try #require(ValuePath(use.at))
        #expect(part(at.value(in: params), use.atWithin) == handle, "\(use) \(params.text)")
      }
    }
    #expect(found > 300)
  }
}
