import Basics
import Foundation
import NIOCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(5)))
struct `replay serve` {
  private static let capture =
    #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    + "/captures/parallel-three-agents.mcptrace"

  @Test(arguments: [SIGINT, SIGTERM])
  func `stops when asked to, with what it did`(signal: Int32) throws {
    let served = try ServedTrace(`replay serve`.capture, ["--listen", "127.0.0.1:0"])
    let ending = try served.stop(signal)
    #expect(ending.status == 0)
    #expect(
      ending.said
        == "stopped: 0 HTTP requests, 0 sessions; answered 0 as recorded, 0 with other arguments, "
        + "0 unknown; 0 refused\n")
  }

  @Test func `says which port is taken and exits with 73`() throws {
    let served = try ServedTrace(`replay serve`.capture, ["--listen", "127.0.0.1:0"])
    let address = "127.0.0.1:\(served.port)"
    let second = try Program.run("replay", ["serve", `replay serve`.capture, "--listen", address])
    _ = try served.stop(SIGTERM)
    #expect(second.status == 73)
    #expect(
      second.errors
        == "replay: cannot listen on \(address): Address already in use; choose another --listen\n")
  }

  @Test(arguments: [
    ("", "not a trace"), ("{}\n", "not a trace"),
    (
      #"{"type":"header","format":"mcptrace","version":2,"recorder":"x","source":"pcap","t0":"2026-11-22T09:00:00.000000000Z"}"#
        + "\n", "trace version 2 is later than this program reads (1)"
    ),
    (
      #"{"type":"header","format":"mcptrace","version":1,"recorder":"x","source":"pcap","t0":"2026-11-22T09:00:00.000000000Z"}"#
        + "\n", "holds no answered MCP request"
    ),
  ])
  func `refuses what it cannot answer from with 65`(text: String, reason: String) throws {
    try TemporaryFile.with(text) { path in
      let result = try Program.run("replay", ["serve", path, "--listen", "127.0.0.1:0"])
      #expect(result.status == 65)
      #expect(result.errors.contains(path))
      #expect(text.isEmpty || result.errors.contains(reason))
    }
  }

  @Test(arguments: ["127.0.0.1", ":80", "127.0.0.1:x", "127.0.0.1:65536"])
  func `wants an address to listen on`(address: String) throws {
    let result = try Program.run("replay", ["serve", `replay serve`.capture, "--listen", address])
    #expect(result.status == 64)
  }
}

@Suite(.timeLimit(.minutes(5)))
struct `replay demo` {
  /// Whether the figures are valid depends on what else the machine does; the calls do not.
  @Test func `plays the bundled capture ten times against its own server`() throws {
    try TemporaryFile.with(suffix: ".json") { path in
      let result = try Program.run("replay", ["demo", "--summary", path])
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let summary = try #require(JSONValue(parsing: text))
      #expect(result.status == (summary["valid"]?.bool == true ? 0 : 2))
      #expect(summary["plan"]?["calls"]?.int == 170)
      #expect(summary["sent"]?.int == 170)
      #expect(summary["outcomes"]?["ok"]?.int == 170)
      #expect(summary["fidelity"]?["chains_exact"]?.double == 1)
      #expect(result.output.contains("170 calls"))
    }
  }
}
