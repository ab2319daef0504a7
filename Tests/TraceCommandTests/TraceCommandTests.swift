import TestKit
import Testing

@Suite(.timeLimit(.minutes(5)))
struct `trace command` {
  private let example = Fixture.path("example.mcptrace")

  @Test func `validate says ok`() throws {
    let result = try Program.run("trace", ["validate", example])
    #expect(result.status == 0)
    #expect(result.output == "\(example): ok, 17 lines, 1 session\n")
  }

  @Test func `validate exits 65 with line and reason`() throws {
    let text = try Fixture.text("example.mcptrace")
    let wrong = text.replacing("\"think\":4599960000", with: "\"think\":1")
    try TemporaryFile.with(wrong) { path in
      let result = try Program.run("trace", ["validate", path, example])
      #expect(result.status == 65)
      let reason = "think is 1, but t minus the latest done of after is 4599960000"
      #expect(
        result.output == "\(path): line 9: \(reason)\n\(example): ok, 17 lines, 1 session\n")
    }
  }

  @Test(arguments: ["show", "stats", "validate"])
  func `warns about a torn tail and goes on`(command: String) throws {
    let text = try Fixture.text("example.mcptrace")
    let result = try TemporaryFile.with(String(text.prefix(2000))) {
      try Program.run("trace", [command, $0])
    }
    #expect(result.status == 0)
    #expect(result.errors.contains("the trace is cut off at its end"))
    #expect(!result.output.isEmpty)
  }

  @Test(arguments: ["show", "stats", "validate"])
  func `exits 65 for what is no trace of this version`(command: String) throws {
    let later =
      #"{"type":"header","format":"mcptrace","version":2,"recorder":"r","source":"pcap"}"#
    try TemporaryFile.with(later + "\n") { path in
      for (input, reason) in [
        (path, "trace version 2 is later than this program reads (1); use a newer one"),
        ("/dev/null", "not a trace: its first line is no mcptrace header"),
        ("/nowhere.mcptrace", "cannot be opened: No such file or directory"),
        ("/", "cannot be opened: Is a directory"),
      ] {
        let result = try Program.run("trace", [command, input])
        #expect(result.status == 65)
        #expect(result.errors.contains(reason), "\(result.errors)")
        #expect(result.output == "")
      }
    }
  }

  @Test(arguments: [
    ["polish"], ["show"], ["stats", "--yaml", "a"], ["show", "--limit", "-1", "a"],
  ])
  func `exits 64 for wrong usage`(arguments: [String]) throws {
    #expect(try Program.run("trace", arguments).status == 64)
  }

  @Test func `show exits 64 for a session that is not there`() throws {
    let result = try Program.run("trace", ["show", "--session", "s9", example])
    #expect(result.status == 64)
    #expect(result.errors.contains("there is no session 's9'"))
  }

  @Test func `exits 74 when the output cannot be written`() throws {
    let result = try Program.run("trace", ["stats", example], outputTo: "/dev/full")
    #expect(result.status == 74)
    #expect(result.errors.contains("No space left on device"))
  }

  @Test func `stats prints a JSON object a line`() throws {
    let result = try Program.run("trace", ["stats", "--json", example, example])
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { $0.hasPrefix("{\"file\":") && $0.hasSuffix("}") })
  }

  @Test(arguments: [[], ["--reinfer"]])
  func `merge makes one valid trace`(options: [String]) throws {
    try TemporaryFile.with("") { output in
      let words = ["merge", example, example, "--output", output, "--quiet"] + options
      let merged = try Program.run("trace", words)
      #expect((merged.status, merged.errors) == (0, ""))
      let valid = try Program.run("trace", ["validate", output])
      #expect((valid.status, valid.output.contains(": ok, ")) == (0, true))
    }
  }

  @Test func `merge refuses recorders that redacted with different keys`() throws {
    let text = try Fixture.text("example.mcptrace")
    let pattern = /"key_id":"[^"]+"/
    let other = text.replacing(pattern, with: #""key_id":"00000000""#)
    try TemporaryFile.with(other) { path in
      let merge = ["merge", example, path, "--output", path + ".merged"]
      let result = try Program.run("trace", merge + ["--reinfer"])
      #expect(result.status == 65)
      #expect(result.errors.contains("record with one --redaction-key FILE"))
    }
  }

  @Test func `merge leaves its inputs alone`() throws {
    try TemporaryFile.with(try Fixture.text("example.mcptrace")) { path in
      let result = try Program.run("trace", ["merge", example, path, "--output", path])
      #expect(result.status == 64)
      #expect(result.errors.contains("is one of the files to merge"))
    }
    let nowhere = try Program.run("trace", ["merge", example, "--output", "/nowhere/all"])
    #expect(nowhere.status == 73)
    #expect(try Program.run("trace", ["merge", "-", "--output", "all"]).status == 64)
  }
}
