import Basics
import NIOCore
import Wire

/// Validating, compacting and scanning JSON-RPC envelopes.
func scanBenchmarks() -> [Benchmark] {
  let cases = [
    ("158 B request", Samples.request), ("64 KB text", Samples.text), ("52 KB keys", Samples.keys),
    ("73 KB keys, spaced", Samples.spaced),
  ]
  return cases.map { name, buffer in
    Benchmark("envelope: \(name)", bytes: buffer.readableBytes) { count in
      var sum = 0
      for _ in 0..<count {
        if case .single(let message) = JSONRPCPayload(buffer) { sum &+= message.bytes }
      }
      return sum
    }
  }
    + cases.map { name, buffer in
      Benchmark("raw JSON: \(name)", bytes: buffer.readableBytes) { count in
        var sum = 0
        for _ in 0..<count { sum &+= RawJSON(validating: buffer)?.bytes.readableBytes ?? 0 }
        return sum
      }
    }
    + cases.map { name, buffer in
      Benchmark("JSON value: \(name)", bytes: buffer.readableBytes) { count in
        var sum = 0
        for _ in 0..<count { if JSONValue(parsing: buffer) != nil { sum &+= 1 } }
        return sum
      }
    }
}
