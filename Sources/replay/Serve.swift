import ArgumentParser
import CommandSupport
import Glibc
import MockServer
import NIOPosix
import Trace

/// `replay serve`
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answer as the recorded server did.",
    discussion: """
      A call gets what the recording has for the same tool and arguments, after the recorded service \
      time, with the recorded notifications on the way; the n-th such call of a session gets the n-th \
      recorded answer, the last one repeats. Other arguments get one of the tool's recorded answers, \
      always the same for the same arguments; so does, after twice the recorded wait, a call that the \
      recorded client gave up. Stops at SIGINT or SIGTERM with exit code 0.

      Exit codes: 0 stopped, 64 wrong usage, 65 unreadable trace, 73 cannot listen.
      """)

  @Argument(help: "The trace to answer from; - is standard input.", completion: .file())
  var trace: String

  @Option(
    help: ArgumentHelp(
      "Where to listen; port 0 takes a free one and says which.", valueName: "host:port"))
  var listen: ListenAddress

  @Flag(help: "Answer at once instead of after the recorded service times.")
  var zero = false

  @Flag(help: "Say nothing but errors.")
  var quiet = false

  @Flag(help: .hidden)
  var asChild = false

  func run() async throws {
    let book = ExchangeBook(try readTrace())
    guard book.exchangeCount > 0 else {
      throw failure(
        Exit.unreadableInput, "\(trace): holds no answered MCP request to answer from; record one")
    }
    DescriptorLimit.raise()
    let server = ScriptedServer(book: book, atOnce: zero, seed: .random(in: 0...UInt64.max))
    let (requests, stop) = AsyncStream.makeStream(of: Void.self)
    let signals = StopSignals { stop.yield() }
    let socket: ServerSocket
    do {
      socket = try await ServerSocket.listen(
        host: listen.host, port: listen.port, server: server)
    } catch let error as ServerSocket.BindError {
      throw failure(Exit.cannotCreate, "\(error); choose another --listen")
    }
    if book.otherTransports > 0 {
      say(
        "replay: \(trace): \(book.otherTransports) sessions were recorded over another transport; "
          + "their calls are answered over Streamable HTTP")
    }
    if !quiet {
      let host = listen.host.contains(":") ? "[\(listen.host)]" : listen.host
      say(
        "listening on http://\(host):\(socket.port)\(book.path): \(book.exchangeCount) exchanges, "
          + "\(book.sessionCount) sessions, \(book.tools.count) tools; Ctrl-C stops")
    }
    if asChild {
      put("\(socket.port)\n", to: STDOUT_FILENO)
      // Whoever started it is gone when its end of the pipe is.
      let pool = NIOThreadPool(numberOfThreads: 1)
      pool.start()
      pool.submit { _ in
        var byte: UInt8 = 0
        while unsafe read(STDIN_FILENO, &byte, 1) > 0 {}
        stop.yield()
      }
    }
    let progress = quiet ? nil : Task { try await report(socket) }
    for await _ in requests { break }
    signals.cancel()
    progress?.cancel()
    let counts = try await socket.stop()
    if !quiet { say("stopped: \(text(counts))") }
  }

  private func readTrace() throws -> [TraceEvent] {
    do {
      let reader = try TraceReader(path: trace)
      var events: [TraceEvent] = []
      while let event = try reader.next() { events.append(event) }
      if reader.tornTail > 0 {
        say(
          "replay: \(trace): the trace is cut off at its end (\(reader.tornTail) bytes); "
            + "all before that was read")
      }
      return events
    } catch {
      throw failure(Exit.unreadableInput, "\(trace): \(error); give a readable .mcptrace file")
    }
  }

  /// One line every few seconds in which something happened.
  private func report(_ socket: ServerSocket) async throws {
    var last = ServerCounts()
    while true {
      try await Task.sleep(for: .seconds(5))
      let counts = try await socket.counts()
      if counts != last { say(text(counts)) }
      last = counts
    }
  }

  private func text(_ counts: ServerCounts) -> String {
    "\(counts.requests) HTTP requests, \(counts.sessions) sessions; answered \(counts.asRecorded) as "
      + "recorded, \(counts.standIns) with other arguments, \(counts.unknown) unknown; "
      + "\(counts.refused) refused"
  }
}

/// `HOST:PORT`, with an IPv6 address in brackets.
struct ListenAddress: ExpressibleByArgument {
  let host: String
  let port: Int

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let port = Int(argument[argument.index(after: colon)...]), (0...65535).contains(port)
    else { return nil }
    var host = argument[..<colon]
    if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
    guard !host.isEmpty else { return nil }
    self.host = String(host)
    self.port = port
  }
}
