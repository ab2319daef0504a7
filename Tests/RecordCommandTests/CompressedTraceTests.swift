import Basics
import Foundation
import NIOCore
import TestKit
import Testing
import Trace

struct `Compressed traces of commands` {
  static let capture = BundledCapture.path("stateful-sse.pcap")

  /// All lines but the header and the footer, which say when and of what.
  private static func body(_ path: String) throws -> [String] {
    try TraceReader.events(of: path).filter {
      switch $0 {
      case .header, .footer: false
      default: true
      }
    }.map(\.line.text)
  }

  private static func size(_ path: String) throws -> Int {
    try Data(contentsOf: URL(fileURLWithPath: path)).count
  }

  @Test func `have the lines of plain ones in less room`() throws {
    try TemporaryFile.with { plain in
      try TemporaryFile.with(suffix: ".mcptrace.zst") { packed in
        try TemporaryFile.with(suffix: ".mcptrace.zst") { dense in
          for (path, level) in [(plain, "3"), (packed, "1"), (dense, "19")] {
            let done = try Program.run(
              "record",
              ["pcap", Self.capture, "--output", path, "--no-redact", "--zstd-level", level])
            #expect(done.status == 0)
          }
          #expect(try Program.run("trace", ["validate", packed]).status == 0)
          let lines = try Self.body(plain)
          let (packedLines, denseLines) = (try Self.body(packed), try Self.body(dense))
          #expect(packedLines == lines)
          #expect(denseLines == lines)
          let sizes = (try Self.size(plain), try Self.size(packed), try Self.size(dense))
          #expect(sizes.0 > 3 * sizes.1)
          #expect(sizes.1 > sizes.2)
        }
      }
    }
  }

  @Test func `are merged and redacted as plain ones are`() throws {
    try TemporaryFile.with(suffix: ".mcptrace.zst") { packed in
      let made = try Program.run("record", ["pcap", Self.capture, "--output", packed])
      #expect(made.status == 0)
      let steps = [
        ["merge", "--reinfer", "--quiet"], ["merge", "--quiet"], ["redact", "--quiet"],
      ]
      for step in steps {
        try TemporaryFile.with(suffix: ".mcptrace.zst") { output in
          let done = try Program.run("trace", step + [packed, "--output", output])
          #expect(done.status == 0, "\(step): \(done.errors)")
          #expect(try Program.run("trace", ["validate", output]).status == 0)
          let count = try Self.body(output).count
          let expected = try Self.body(packed).count
          #expect(count == expected)
        }
      }
    }
  }

  @Test func `are read up to where they are cut off or damaged, and that is said`() throws {
    try TemporaryFile.with(suffix: ".mcptrace.zst") { packed in
      let made = try Program.run("record", ["pcap", Self.capture, "--output", packed])
      #expect(made.status == 0)
      // What a killed recorder leaves: whole frames and the beginning of one.
      let whole = try Data(contentsOf: URL(fileURLWithPath: packed))
      let magic = Data([0x28, 0xb5, 0x2f, 0xfd])
      // The header is a frame of its own.
      let second = try #require(whole.range(of: magic, in: 4..<whole.count)?.lowerBound)
      try (whole + whole.prefix(whole.count / 2)).write(to: URL(fileURLWithPath: packed))
      let cut = try Program.run("trace", ["show", packed])
      #expect(cut.status == 0)
      #expect(
        cut.errors.contains("the trace is cut off at its end (\(whole.count / 2 - second) bytes)"),
        "\(cut.errors)")
      try (whole + Data([1, 2, 3, 4, 5])).write(to: URL(fileURLWithPath: packed))
      let damaged = try Program.run("trace", ["validate", packed])
      #expect(damaged.status == 65)
      #expect(damaged.errors.contains("byte \(whole.count): the compressed frame"))
    }
  }

  @Test(arguments: ["0", "20", "much"])
  func `want a level that zstd has`(_ level: String) throws {
    let done = try Program.run(
      "record", ["pcap", Self.capture, "--output", "/dev/null", "--zstd-level", level])
    #expect(done.status == 64)
  }
}
