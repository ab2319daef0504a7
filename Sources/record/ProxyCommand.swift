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

      Example: record proxy --listen 127.0.0.1:8080 --upstream http://127.0.0.1:3000 --output live.mcptrace
      """)

  @Option(help: ArgumentHelp("Address to listen on.", valueName: "host:port"))
  var listen: String

  @Option(
    help: ArgumentHelp("Server to forward to: scheme, host and port, no path.", valueName: "url"))
  var upstream: String

  @OptionGroup var recording: RecordingOptions

  @OptionGroup var segments: SegmentOptions

  @Option(help: "Seconds that open connections may go on after SIGINT or SIGTERM.")
  var drain = 5.0

  func validate() throws {
    guard drain >= 0 else { throw ValidationError("--drain takes seconds, 0 or more") }
  }

  func run() async throws {
    let listenAddress = try address(listen, of: "--listen")
    let upstreamAddress = try self.upstreamAddress()
    var options = try recording.dissection()
    options.gapKind = "proxy.shed"
    options.payloads = try keptPayloads(upstreamAddress.host)
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
      configuration: ProxyConfiguration(listen: listenAddress, upstream: upstreamAddress),
      handoff: handoff, notify: { say("record: \($0)") })
    let bound: Endpoint
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
      say("listening on \(bound), forwarding to \(upstream), recording to \(output)")
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

  private func keptPayloads(_ host: String) throws -> HeaderLine.Payloads {
    if let payloads = recording.payloads { return payloads }
    let isLoopback = host == "localhost" || host.hasPrefix("127.") || host == "::1"
    guard isLoopback else {
      throw failure(
        Exit.usage,
        "the upstream \(host) is not loopback: say what of its payloads may be kept, --payloads full, shape or none"
      )
    }
    return .full
  }

  private func upstreamAddress() throws -> ProxyConfiguration.Address {
    guard upstream.hasPrefix("http://") else {
      throw failure(
        Exit.usage,
        "--upstream \(upstream): want http://HOST:PORT (this version forwards plain TCP)")
    }
    var rest = upstream.dropFirst("http://".count)
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard !rest.contains("/") else {
      throw failure(
        Exit.usage,
        "--upstream \(upstream): want scheme, host and port without a path; paths are forwarded as they are"
      )
    }
    let text = String(rest)
    let hasPort = text.hasPrefix("[") ? text.contains("]:") : text.contains(":")
    return try address(hasPort ? text : text + ":80", of: "--upstream")
  }

  private func address(_ text: String, of option: String) throws -> ProxyConfiguration.Address {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port)
    else { throw failure(Exit.usage, "\(option) \(text): want HOST:PORT, as 127.0.0.1:8080") }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    return .init(host: host.isEmpty ? "0.0.0.0" : host, port: port)
  }
}
