import ArgumentParser

@main
struct Record: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Records agent-to-MCP traffic and extracts each session's timing and tool chains.",
    discussion: """
      A trace (*.mcptrace) is JSON Lines: look at it with `trace show`, play it back with `replay run`. Credentials in \
      headers and URLs are replaced by surrogates unless --no-redact is given.

      Exit codes: 0 done, 64 wrong usage, 65 unreadable input, 69 a command cannot be started, 70 internal error, 73 cannot create or bind, 74 I/O error.
      """,
    version: version,
    subcommands: [LiveCommand.self, PcapCommand.self, ProxyCommand.self, StdioCommand.self])

  /// What a trace's header names as its recorder.
  static let version = "0.1.0"
}
