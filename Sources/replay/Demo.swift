import ArgumentParser
import Basics
import CommandSupport
import MockServer
import NIOCore
import ReplayEngine
import ReplayPlan
import Trace

/// `replay demo`
struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replay the bundled capture at ten times its agents against an embedded server.",
    discussion: """
      Needs nothing: the capture (three agents of the official Python SDK) is part of the program, \
      and so is the server, which listens on a free port of 127.0.0.1 and answers with the recorded \
      service times. Think times are halved, so that it takes well under a minute.

      Exit codes: 0 done, 2 the result is invalid, 73 cannot create a file or listen, 74 cannot \
      write, 130 interrupted.
      """)

  @Option(
    help: ArgumentHelp("Write the result's figures as JSON.", valueName: "file"),
    completion: .file())
  var summary: String?

  @Flag(help: "Print nothing but errors; the result is then only in --summary.")
  var quiet = false

  func run() async throws {
    let events = Demo.bundledTrace
    DescriptorLimit.raise()
    let server = ScriptedServer(
      book: ExchangeBook(events), atOnce: false, seed: .random(in: 0...UInt64.max))
    let socket: ServerSocket
    do {
      socket = try await ServerSocket.listen(host: "127.0.0.1", port: 0, server: server)
    } catch let error as ServerSocket.BindError {
      throw failure(Exit.cannotCreate, "\(error); the demo needs a port on the loopback interface")
    }
    let result: RunSession.Result
    do {
      result = try await session(events, port: socket.port).perform()
    } catch {
      _ = try await socket.stop()
      throw error
    }
    _ = try await socket.stop()
    try result.exit()
  }

  private func session(_ events: [TraceEvent], port: Int) -> RunSession {
    var builder = ScriptBuilder()
    for event in events { builder.add(event) }
    let traffic = builder.finish()
    var options = PlanOptions()
    options.count = .multiply(10)
    options.thinkScale = 0.5
    options.arrivalScale = 0.5
    options.allowsWrites = true
    var session = RunSession(
      traffic: traffic, plan: Planner(traffic, options).plan(),
      target: ReplayTarget(
        host: "127.0.0.1", port: port, authority: "127.0.0.1:\(port)", path: nil, headers: []))
    session.summaryPath = summary
    session.isQuiet = quiet
    session.negotiates = false
    session.options = [("trace", .string("demo")), ("target", .string("embedded server"))]
    return session
  }

  /// The capture that is part of the program, as `Demo/demo.mcptrace`.
  private static var bundledTrace: [TraceEvent] {
    var decoder = TraceDecoder()
    decoder.append(ByteBuffer(bytes: PackageResources.demo_mcptrace))
    decoder.end()
    var events: [TraceEvent] = []
    do {
      while let event = try decoder.next() { events.append(event) }
    } catch {
      preconditionFailure("the bundled trace is a trace: \(error)")
    }
    return events
  }
}
