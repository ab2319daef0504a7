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

  @Test func `are removed when there are more than are kept`() throws {
    try Self.withFolder { folder in
      let path = folder.appendingPathComponent("live.mcptrace").path
      let words = ["--rotate-size", "0.00001", "--keep-segments", "2", "--keep-time", "86400"]
      let names = SegmentNames(path)
      for _ in 0..<3 {
        let done = try Program.run(
          "record", ["stdio", "-o", path] + words + ["--", "sh", "-c", Self.server])
        #expect(done.status == 0)
        #expect(names.numbers().count <= 2)
      }
      #expect(names.numbers().count == 2)
      #expect((names.numbers().first ?? 0) >= 2)
    }
  }

  /// Records a server that has done `act` to the trace before its third message; returns what standard error says.
  private static func record(_ path: String, _ words: [String] = [], act: String) throws -> String {
    let say =
      #"printf '{"jsonrpc":"2.0","method":"notifications/message","params":{"i":1}}\n'; sleep 0.6; "#
    let done = try Program.run(
      "record",
      ["stdio", "-o", path, "--rotate-size", "0.00001"] + words
        + ["--", "sh", "-c", say + say + act + "; " + say + say, path, Program.path("record")])
    #expect(done.status == 0 || done.status == 74, "\(done.errors)")
    return done.errors
  }

  @Test func `lose nothing when the open one is moved away`() throws {
    try Self.withFolder { folder in
      let path = folder.appendingPathComponent("live.mcptrace").path
      _ = try Self.record(path, act: #"mv "$0" "$0.moved""#)
      let names = SegmentNames(path)
      let files = names.numbers().map(names.closed) + [path + ".moved"]
      let all = try files.flatMap { try Self.notifications($0) }
      #expect(all.sorted() == [1, 2, 3, 4])
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func `leave a file alone that somebody put in their place`() throws {
    try Self.withFolder { folder in
      let path = folder.appendingPathComponent("live.mcptrace").path
      let errors = try Self.record(path, act: #"mv "$0" "$0.moved"; echo mine > "$0""#)
      #expect(errors.contains("cannot begin the next segment"))
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine\n")
      let names = SegmentNames(path)
      let files = names.numbers().map(names.closed) + [path + ".moved"]
      let all = try files.flatMap { try Self.notifications($0) }
      #expect(all.sorted() == [1, 2, 3, 4])
    }
  }

  @Test func `leave a second recorder to another name, and refuse devices`() throws {
    try Self.withFolder { folder in
      let path = folder.appendingPathComponent("live.mcptrace").path
      let errors = try Self.record(
        path, act: #""$1" stdio -o "$0" --rotate-every 9 -- true; echo "exit $?" >&2"#)
      #expect(errors.contains("exit 0"))
      let names = SegmentNames(path)
      let all = try names.numbers().flatMap { try Self.notifications(names.closed($0)) }
      #expect(all.sorted() == [1, 2, 3, 4])
      let device = try Program.run(
        "record", ["stdio", "-o", "/dev/null", "--rotate-every", "9", "--", "true"])
      #expect(device.status == 73)
    }
  }

  @Test func `are removed only where they are segments`() throws {
    try Self.withFolder { folder in
      let path = folder.appendingPathComponent("live.mcptrace").path
      let others = ["20260115", "000002", "9223372036854775807"].map {
        folder.appendingPathComponent("live.\($0).mcptrace").path
      }
      for other in others { try Data("mine".utf8).write(to: URL(fileURLWithPath: other)) }
      _ = try Self.record(path, ["--keep-segments", "3"], act: "true")
      for other in others { #expect(try String(contentsOfFile: other, encoding: .utf8) == "mine") }
      // What is left is read beside them.
      #expect(try !Self.notifications(path).isEmpty)
    }
  }

  @Test(arguments: [
    ["--keep-segments", "2"], ["--rotate-every", "9", "--keep-segments", "0"],
    ["--rotate-every", "9", "--keep-size", "0"], ["--rotate-every", "9", "--keep-time", "-5"],
    ["--rotate-size", "0"], ["--rotate-size", "-1"], ["--rotate-every", "0.5"],
    ["--rotate-every", "soon"],
  ])
  func `want sizes and times`(_ words: [String]) throws {
    let done = try Program.run(
      "record", ["stdio", "-o", "/nonexistent/x.mcptrace"] + words + ["--", "true"])
    #expect(done.status == 64)
  }
}

struct `A recording that can't be written` {
  @Test func `pauses with a notice while the traffic goes on`() throws {
    try TemporaryFile.with { path in
      // The limit is for files: what goes through a pipe is not concerned.
      let script = #"""
        (ulimit -f 4; "$0" stdio -o "$1" -- sh -c 'i=0; while [ $i -lt 60 ]; do i=$((i+1)); \
        printf "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"text\":\"%0200d\"}}\n" $i; done; sleep 0.8'
        echo "exit $?" >&2) | cat
        """#
      let done = try Program.run("/bin/sh", ["-c", script, Program.path("record"), path])
      #expect(done.output.split(separator: "\n").count == 60)
      #expect(done.errors.contains("exit 74"))
      #expect(done.errors.contains("recording pauses until that is possible, traffic goes on"))
      #expect(done.errors.contains("part of the recording is missing"))
    }
  }
}
