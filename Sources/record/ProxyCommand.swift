import ArgumentParser
import Basics
import CommandSupport
import Dispatch
import Dissection
import Glibc
import Proxy
import Trace

struct ProxyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxy", abstract: "Records as a transparent proxy in front of an MCP server.",
    discussion: """
      Bytes are forwarded verbatim, both ways, before they are looked at; the proxy adds no byte, retry or time limit. When the \
      recording cannot keep up it loses recording (said in the trace), never traffic. SIGINT or SIGTERM drains and \
      closes the trace.

      Addresses of either side may be IPv4, IPv6 ([::1]:8080), names or Unix sockets (unix:/run/mcp.sock); pairs of --listen and \
      --upstream share one process and one trace.

      With --transparent neither clients nor servers are changed: rules of the system bring the connections here, and each is \
      forwarded to where it was going. --print-redirect prints the rules.

      Example: record proxy --listen 127.0.0.1:8080 --upstream http://127.0.0.1:3000 --output live.mcptrace
      """)

  // Before all others: it ends the command without asking for them.
  @OptionGroup var redirection: RedirectionCommands

  @OptionGroup var endpoints: ProxyRoutes

  @OptionGroup var recording: RecordingOptions

  @OptionGroup var segments: SegmentOptions

  @Option(help: "Seconds that open connections may go on after SIGINT or SIGTERM.")
  var drain = 5.0

  func validate() throws {
    guard drain >= 0 else { throw ValidationError("--drain takes seconds, 0 or more") }
  }

  func run() async throws {
    let routes = try endpoints.routes()
    var options = try recording.dissection()
    options.gapKind = "proxy.shed"
    options.payloads = try keptPayloads(routes)
    let (output, keepOptions, isQuiet) = (recording.output, options, recording.quiet)

    let (requests, stop) = AsyncStream.makeStream(of: Void.self)
    var destination = recording.destination
    try segments.apply(to: &destination)
    let trace = destination
    let signals = StopSignals { stop.yield() }
    defer { signals.cancel() }
    // Failed writes come back as errors: a full disk or a closed pipe must not end the forwarding.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    let handoff = Handoff()
    // Bound before the output is created: a second start on a used port must not empty the first one's trace.
    let server = ProxyServer(
      configuration: ProxyConfiguration(routes: routes), handoff: handoff,
      notify: { say("record: \($0)") })
    let bound: [Endpoint]
    do {
      bound = try await server.start()
    } catch {
      throw failure(Exit.cannotCreate, "\(error); choose another --listen or stop what uses it")
    }
    let (reports, post) = AsyncStream<RecorderThread.Report>.makeStream()
    var mail = reports.makeAsyncIterator()
    DispatchQueue(label: "dissection").async {
      RecorderThread.run(
        handoff: handoff, source: .proxy, output: trace, options: keepOptions
      ) { post.yield($0) }
    }
    if case .cannotCreate(let path, let errno) = await mail.next() {
      _ = await server.drain(grace: .zero)
      throw failure(
        Exit.cannotCreate, "cannot create \(path): \(words(errno)); choose another --output")
    }
    if !isQuiet {
      for (route, address) in zip(routes, bound) {
        say("listening on \(address), forwarding to \(route.upstream), recording to \(output)")
      }
    }
    for await _ in requests { break }
    if !isQuiet { say("draining for up to \(drain) s") }
    _ = await server.drain(grace: .seconds(drain))
    handoff.close()
    guard case .finished(let summary, let errno) = await mail.next() else {
      throw failure(Exit.internalError, "the recorder stopped without its report")
    }
    if !isQuiet {
      for line in summary { say(line) }
    }
    if let errno {
      throw failure(
        Exit.ioError, "cannot write \(output): \(words(errno)); part of the recording is missing")
    }
  }

  private func keptPayloads(_ routes: [ProxyConfiguration.Route]) throws -> HeaderLine.Payloads {
    if let payloads = recording.payloads { return payloads }
    for route in routes {
      if case .address(let upstream) = route.upstream, upstream.isLocal { continue }
      throw failure(
        Exit.usage,
        "the upstream (\(route.upstream)) is not loopback: say what of its payloads may be kept, --payloads full, shape or none"
      )
    }
    return .full
  }
}
