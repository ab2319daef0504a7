import Analysis
import ArgumentParser
import Report
import Trace

/// `trace show`
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the sessions of a trace, then each as a timeline.",
    discussion: """
      Timelines count from the session's first message, in seconds. Marks: ┌│└ parallel requests of \
      one turn, · made by the client library, ← from the server, → a notification of the client, \
      ~ an HTTP exchange without JSON-RPC. nN is the message's number in the session. With --flow: for \
      each answer that gave values out, where they stood in it and which request took them where.
      """)

  @Argument(help: "Traces to show; - is standard input.", completion: .file())
  var files: [String]

  @Option(help: ArgumentHelp("Show this session only.", valueName: "name"))
  var session: String?

  @Flag(help: "Draw which values went from answers into requests, instead of the timelines.")
  var flow = false

  @Option(help: "Entries of a timeline that are shown, at most; 0 shows the table only.")
  var limit = 200

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit must be 0 or more.") }
  }

  func run() throws {
    for (i, file) in files.enumerated() {
      let contents: TraceContents
      do {
        contents = try TraceContents(path: file, detail: .outline)
      } catch {
        throw Exit.report(error, file: file)
      }
      Exit.warnTornTail(contents.tornTail, file: file)
      if let session, contents.session(session) == nil {
        Exit.complain(
          "\(file): there is no session '\(session)'; 'trace show --limit 0' lists the sessions")
        throw ExitCode(64)
      }
      if i > 0 { try Exit.print("\n") }
      try Exit.print(TraceHeading.text(contents, file: file))
      let sessions = contents.sessions.filter { session == nil || $0.name == session }
      try Exit.print(SessionTable.text(sessions))
      guard limit > 0 else { continue }
      for session in sessions where flow { try Exit.print("\n" + SessionFlow.text(session)) }
      if flow { continue }
      for session in sessions {
        try Exit.print("\n" + SessionTimeline.text(session, limit: limit))
      }
      if session == nil {
        let outside = SessionTimeline.text(outside: contents.outside, limit: limit)
        if !outside.isEmpty { try Exit.print("\n" + outside) }
      }
    }
  }
}
