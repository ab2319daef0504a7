import Basics
import MCP

extension ValueFlow {
  /// Learns from a result, whatever it has.
  mutating func learn(
    _ result: RawJSON, of method: String, n: Int, done: Int64, shown: [[UInt8]: [UInt8]] = [:]
  ) {
    learn(
      result, of: method, isStructured: result.member("structuredContent") != nil, n: n, done: done,
      shown: shown)
  }
}
