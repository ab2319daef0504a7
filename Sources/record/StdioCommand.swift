import ArgumentParser
import Basics
import CommandSupport
import Dispatch
import Dissection
import Glibc
import Proxy
import Spawn
import Trace

/// `record stdio`
struct StdioCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stdio", abstract: "Records a stdio server that it starts.",
    discussion: """
      Put it in front of the server's command in the client's configuration. Standard input and output are passed on byte for \
      byte, before they are looked at; standard error is the server's alone, so nothing but errors of record itself is said. \
      Signals are passed on, and so is the exit code (128 and the number when a signal ended the server).

      Clients start servers more than once: an output that holds a trace already is kept, and FILE-2.mcptrace, FILE-3.mcptrace \
      and so on are written instead.

      Example: record stdio --output server.mcptrace -- python server.py

      Exit codes: the server's; 64 wrong usage, 69 the command cannot be started, 73 cannot create the trace, 74 the trace \
      is incomplete although the server ended with 0.
      """)

  @OptionGroup var recording: RecordingOptions

  @OptionGroup var segments: SegmentOptions

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("The server and its arguments, behind --.", valueName: "command"))
  var command: [String] = []

  func validate() throws {
    guard !command.isEmpty else {
      throw ValidationError("the server's command is missing; write it behind --")
    }
    guard recording.output != "-" else {
      throw ValidationError("standard output is the server's; choose a file for --output")
    }
  }

  func run() throws {
    var options = try recording.dissection()
    options.gapKind = "stdio.shed"
    var destination = recording.destination
    destination.path = StdioCommand.unused(destination.path)
    try segments.apply(to: &destination)
    let (target, output) = (destination, destination.path)
    let handoff = Handoff()
    let reports = Mailbox<RecorderThread.Report>()
    let keptOptions = options
    DispatchQueue(label: "dissection").async {
      RecorderThread.run(
        handoff: handoff, source: .stdio, output: target, options: keptOptions
      ) { reports.post($0) }
    }
    if case .cannotCreate(let path, let errno) = reports.take() {
      throw failure(
        Exit.cannotCreate, "cannot create \(path): \(words(errno)); choose another --output")
    }
    let child: ChildProcess
    do {
      child = try ChildProcess(command)
    } catch {
      handoff.close()
      _ = reports.take()
      // There is nothing in it, and the next start is to have the name.
      _ = unsafe unlink(output)
      throw failure(Exit.unreachable, "\(error); check the command behind --")
    }
    // Failed writes come back as errors: a full disk or a client that left must not end the relaying.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    SignalRelay.start(to: child.id)
    let ending = StdioRelay(child, handoff: handoff).run()
    SignalRelay.stop()
    handoff.close()
    guard case .finished(_, let errno) = reports.take() else {
      throw failure(Exit.internalError, "the recorder stopped without its report")
    }
    if let errno {
      say("record: cannot write \(output): \(words(errno)); part of the recording is missing")
      if ending.exitCode == 0 { throw Exit.ioError }
    }
    throw ExitCode(ending.exitCode)
  }

  /// The first name that no trace has: the one that was given, else with a number.
  private static func unused(_ path: String) -> String {
    var stem = path[...]
    var suffix = ""
    for end in [".mcptrace.zst", ".mcptrace"] where path.hasSuffix(end) && suffix.isEmpty {
      stem = path.dropLast(end.count)
      suffix = end
    }
    var name = path
    var number = 1
    while holdsSomething(name), number < 100_000 {
      number += 1
      name = "\(stem)-\(number)\(suffix)"
    }
    return name
  }

  /// Whether a file has content that must not be lost.
  private static func holdsSomething(_ path: String) -> Bool {
    var facts = stat()
    // Fills in the structure it is given.
    guard unsafe stat(path, &facts) == 0 else { return false }
    return facts.st_mode & S_IFMT == S_IFREG && facts.st_size > 0
  }
}
