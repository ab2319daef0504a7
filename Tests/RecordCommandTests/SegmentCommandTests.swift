import Foundation
import TestKit
import Testing
import Trace

struct `Recordings in segments` {
  /// A server that says something a few times while the recorder flushes.
  private static let server = #"""
    for i in 1 2 3 4; do printf '{"jsonrpc":"2.0","method":"notifications/message","params":{"i":%s}}\n' $i; sleep 0.6; done
    """#

  private static func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("segments-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try body(folder)
    try FileManager.default.removeItem(at: folder)
  }

  private static func notifications(_ path: String) throws -> [Int] {
    try TraceReader.events(of: path).compactMap {
      if case .notification(let line) = $0 { line.n } else { nil }
    }
  }

  @Test(arguments: [".mcptrace", ".mcptrace.zst"])
  func `are read whole by their name and each alone`(suffix: String) throws {
    try Self.withFolder { folder in
      let path = folder.appendingPathComponent("live" + suffix).path
      // What a recorder left that was killed.
      try Data("left".utf8).write(to: URL(fileURLWithPath: folder.path + "/live.000003" + suffix))
      let done = try Program.run(
        "record",
        ["stdio", "-o", path, "--rotate-size", "0.00001", "--", "sh", "-c", Self.server])
      #expect(done.status == 0)
      #expect(done.errors == "")
      let names = SegmentNames(path)
      let numbers = names.numbers().dropFirst()
      #expect(numbers.first == 4)
      #expect(!FileManager.default.fileExists(atPath: path))
      #expect(!FileManager.default.fileExists(atPath: names.next))
      let all = try Self.notifications(path)
      #expect(all == [1, 2, 3, 4])
      for file in [path] + numbers.map(names.closed) {
        let checked = try Program.run("trace", ["validate", file])
        #expect(checked.status == 0, "\(checked.output) \(checked.errors)")
      }
      let again = try Program.run(
        "record", ["stdio", "-o", path, "--rotate-every", "3600", "--", "sh", "-c", Self.server])
      #expect(again.status == 0)
      #expect(names.numbers().count == numbers.count + 2)
      let latest = try Self.notifications(path)
      #expect(latest == [1, 2, 3, 4])
    }
  }

  @Test(arguments: [
    ["--rotate-size", "0"], ["--rotate-size", "-1"], ["--rotate-every", "0.5"],
    ["--rotate-every", "soon"],
  ])
  func `want sizes and times`(_ words: [String]) throws {
    let done = try Program.run(
      "record", ["stdio", "-o", "/nonexistent/x.mcptrace"] + words + ["--", "true"])
    #expect(done.status == 64)
  }
}
