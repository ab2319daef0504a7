import ArgumentParser
import Glibc

/// Look at and work on recorded MCP traffic.
@main
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Look at and work on recorded MCP traffic (.mcptrace).",
    discussion: """
      Exit codes: 0 done, 64 wrong usage, 65 unreadable or invalid input, 73 output cannot be \
      created, 74 I/O error.
      """,
    subcommands: [Show.self, Stats.self, Validate.self, Merge.self, Redact.self])

  /// What headers of traces say that this program made.
  static let recorder = "trace 0.1.0"

  static func main() {
    // A reader that goes away must show as EPIPE, not end the program by signal.
    signal(SIGPIPE, SIG_IGN)
    main(nil)
  }
}
