import Foundation
import MockServer
import Testing
import Trace

/// The capture that `replay demo` carries.
@Suite struct `Bundled trace` {
  private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
  private let bundled = root + "/Sources/replay/Demo/demo.mcptrace"
  private let capture = root + "/captures/parallel-three-agents.mcptrace"

  /// `GOLDEN=update` copies the capture's trace.
  @Test func `is the trace of a capture and small enough to be a part of the program`() throws {
    let trace = try Data(contentsOf: URL(fileURLWithPath: capture))
    if ProcessInfo.processInfo.environment["GOLDEN"] == "update" {
      try trace.write(to: URL(fileURLWithPath: bundled))
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: bundled)) == trace)
    #expect(trace.count <= 64 << 10)
  }

  @Test func `answers every request of its agents`() throws {
    let book = ExchangeBook(try TraceReader.events(of: bundled))
    #expect(book.sessionCount == 3)
    #expect(book.exchangeCount == 23)
    #expect(book.tools == ["create_note", "read", "search", "slow"])
  }
}
