import ArgumentParser

@main
struct Replay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract:
      "Plays recorded agent-to-MCP traffic back, at N times the agents, and measures the server.",
    discussion: """
      Exit codes: 0 done, 1 a threshold was missed or a regression shown, 2 the result is invalid or not comparable, 64 wrong usage, 65 unreadable trace, 69 target unreachable, 73 cannot \
      create a file or listen, 74 cannot write, 130 interrupted (results so far are written).
      """,
    version: version,
    subcommands: [
      Run.self, PlanCommand.self, PreflightCommand.self, Serve.self, Demo.self, Compare.self,
    ])

  /// What `environment` and the header of a run's trace name.
  static let version = "0.1.0"
}
