import Basics
import Foundation
import TestKit
import Testing
import Trace

/// `record stdio` as a client starts it.
struct `Record stdio` {
  private static let server =
    #"printf '%s\n' '{"jsonrpc":"2.0","method":"notifications/message"}' 'no message'; echo told >&2; exit 3"#

  @Test func `output, errors and exit code are the server's`() throws {
    try TemporaryFile.with { path in
      let done = try Program.run("record", ["stdio", "-o", path, "--", "sh", "-c", Self.server])
      #expect(done.status == 3)
      #expect(
        done.output == #"{"jsonrpc":"2.0","method":"notifications/message"}"# + "\nno message\n")
      #expect(done.errors == "told\n")
      let events = try TraceReader.events(of: path)
      let kinds = events.map(\.type)
      #expect(
        kinds == [
          "header", "connection", "loss", "session", "notification", "connection", "end", "footer",
        ])
      guard case .footer(let footer)? = events.last else { return }
      #expect(footer.loss.keys.sorted() == ["stdio.not_jsonrpc"])
      #expect(footer.bytesIn == footer.bytesExplained + 11)
    }
  }

  @Test func `a server that a signal ended gives 128 and its number`() throws {
    try TemporaryFile.with { path in
      let done = try Program.run("record", ["stdio", "-o", path, "--", "sh", "-c", "kill -9 $$"])
      #expect(done.status == 137)
    }
  }

  @Test func `a trace that is there already is kept`() throws {
    try TemporaryFile.with(suffix: ".mcptrace") { path in
      let next = path.replacing(".mcptrace", with: "-2.mcptrace")
      defer { unsafe unlink(next) }
      for _ in 0..<2 {
        _ = try Program.run("record", ["stdio", "-o", path, "--", "true"])
      }
      #expect(
        try TraceReader.events(of: path).map(\.type) == [
          "header", "connection", "connection", "footer",
        ])
      #expect(
        try TraceReader.events(of: next).map(\.type) == [
          "header", "connection", "connection", "footer",
        ])
    }
  }

  @Test(arguments: [
    ["-o", "-", "--", "true"], ["-o", "x.mcptrace"],
    ["-o", "x.mcptrace", "--", "/no/such/program"],
    ["-o", "/no/such/folder/x", "--", "true"],
  ])
  func `what cannot be done is said`(_ arguments: [String]) throws {
    let done = try Program.run("record", ["stdio"] + arguments)
    #expect([64, 69, 73].contains(done.status))
    #expect(done.errors != "")
    #expect(done.output == "")
  }
}
