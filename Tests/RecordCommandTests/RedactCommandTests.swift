import Basics
import Foundation
import NIOCore
import TestKit
import Testing
import Trace

/// What runs of the commands leave behind, where secrets were planted.
@Suite(.timeLimit(.minutes(5)))
struct `Redacting commands` {
  private let planted = PlantedSecrets()

  /// Writes the planted conversation to a capture, and calls `body` with its path and a folder for what is made of it.
  private func withCapture(_ body: (_ capture: String, _ folder: String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("redact-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer {
      do {
        try FileManager.default.removeItem(at: folder)
      } catch {
        Issue.record(error)
      }
    }
    let capture = folder.appendingPathComponent("planted.pcap")
    try Data(planted.script.capture.readableBytesView).write(to: capture)
    try body(capture.path, folder.path)
  }

  private func expectNone(in text: String, _ what: String) {
    for secret in planted.credentials + planted.tokens where text.contains(secret) {
      Issue.record("\(secret) is in \(what)")
    }
  }

  @Test func `leave no planted secret in any output`() throws {
    try withCapture { capture, folder in
      let (open, trace, again) = (folder + "/open", folder + "/closed", folder + "/again")
      let key = folder + "/key"
      try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: key))
      let recorded = try Program.run(
        "record",
        [
          "pcap", capture, "--output", trace, "--exchanges", "--redact", "secrets",
          "--redaction-key", key,
        ])
      #expect(recorded.status == 0)
      let kept = try Program.run(
        "record", ["pcap", capture, "--output", open, "--exchanges", "--no-redact"])
      #expect(kept.status == 0)
      let redacted = try Program.run(
        "trace",
        ["redact", open, "--output", again, "--redact", "secrets", "--redaction-key", key])
      #expect(redacted.status == 0)
      var outputs = [recorded.output, recorded.errors, redacted.output, redacted.errors]
      for file in [trace, again] {
        outputs.append(try String(contentsOfFile: file, encoding: .utf8))
        for command in [["show"], ["stats"], ["stats", "--json"], ["validate"]] {
          let result = try Program.run("trace", command + [file])
          #expect(result.status == 0, "\(command): \(result.output)\(result.errors)")
          outputs += [result.output, result.errors]
        }
      }
      for (i, output) in outputs.enumerated() { expectNone(in: output, "output \(i)") }
      #expect(try TraceReader.events(of: open).count == TraceReader.events(of: again).count)
    }
  }

  @Test func `mark surrogates that a merged trace has too`() throws {
    try withCapture { capture, folder in
      let (trace, merged) = (folder + "/t", folder + "/merged")
      let arguments = ["pcap", capture, "--output", trace, "--redact", "secrets"]
      #expect(try Program.run("record", arguments).status == 0)
      let merge = ["merge", trace, "--reinfer", "--output", merged]
      #expect(try Program.run("trace", merge).status == 0)
      func marks(_ file: String) throws -> [[String]] {
        try TraceReader.events(of: file).compactMap { event in
          switch event {
          case .request(let line): line.redacted
          case .response(let line): line.redacted
          default: nil
          }
        }.sorted { $0.joined() < $1.joined() }
      }
      let before = try marks(trace)
      let after = try marks(merged)
      #expect(before.count > 2)
      #expect(after == before)
    }
  }

  @Test func `say what a trace went through`() throws {
    try withCapture { capture, folder in
      let trace = folder + "/t"
      let rules = ["--redact", "/params/**/ssn", "--redact", "re:hunter[0-9]+"]
      let result = try Program.run(
        "record", ["pcap", capture, "--output", trace, "--payloads", "shape"] + rules)
      #expect(result.status == 0)
      guard case .header(let header) = try TraceReader.events(of: trace).first else { return }
      #expect(header.payloads == .shape)
      #expect(header.redaction?["mode"]?.string == "payloads")
      let names = header.redaction?["rules"]?.array?.compactMap(\.string) ?? []
      #expect(names.prefix(5) == ["headers", "query", "mcp-session-id", "bodies", "_meta"])
      #expect(names.count == 7 && names[5] == "/params/**/ssn" && names[6].hasPrefix("re:#"))
    }
  }

  @Test(arguments: [
    ["--redact", "email"], ["--redact", "re:("], ["--no-redact", "--redact", "secrets"],
    ["--payloads", "some"],
  ])
  func `want rules that can be read`(arguments: [String]) throws {
    let result = try Program.run("record", ["pcap", "x.pcap", "--output", "x"] + arguments)
    #expect(result.status == 64)
    #expect(!result.errors.isEmpty)
  }

  @Test func `never write over the trace that is read`() throws {
    try withCapture { capture, folder in
      let trace = folder + "/t"
      #expect(try Program.run("record", ["pcap", capture, "--output", trace]).status == 0)
      let size = try String(contentsOfFile: trace, encoding: .utf8).utf8.count
      #expect(try Program.run("trace", ["redact", trace, "--output", trace]).status == 64)
      #expect(try String(contentsOfFile: trace, encoding: .utf8).utf8.count == size)
      #expect(
        try Program.run("trace", ["redact", trace, trace, "--output", folder + "/o"]).status == 64)
      #expect(
        try Program.run("trace", ["redact", trace, "--output", folder + "/no/o"]).status == 73)
      #expect(
        try Program.run("trace", ["redact", folder + "/no", "--output", folder + "/o"]).status == 65
      )
      #expect(
        try Program.run(
          "trace", ["redact", trace, "--output", folder + "/o", "--redaction-key", "/dev/null"]
        ).status == 65)
    }
  }
}
