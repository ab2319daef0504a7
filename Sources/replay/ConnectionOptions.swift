public import ArgumentParser
public import ReplayEngine
import ReplayPlan

/// How `run` reaches its target.
struct ConnectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      How agents use connections: recorded (each request on the agent's own counterpart of the connection that carried it), \
      keep-alive (each agent keeps its own), per-request (a new one for each), shared:K (K for all agents together; a request that \
      waits for one is late, and that counts as lag; streams that stay open have their own besides, but over HTTP/2). \
      (default: recorded; keep-alive where recorded connections carried several sessions)
      """, valueName: "mode"))
  var connections: ConnectionMode?

  @Option(
    help: ArgumentHelp(
      "Certificates to trust for an https target instead of the system's, PEM.", valueName: "file"),
    completion: .file())
  var ca: String?

  @Option(
    help: ArgumentHelp(
      "The client's certificate chain for an https target, PEM; with --client-key.",
      valueName: "file"), completion: .file())
  var clientCert: String?

  @Option(
    help: ArgumentHelp("The key of --client-cert, PEM.", valueName: "file"), completion: .file())
  var clientKey: String?

  @Flag(
    name: .customLong("http2"),
    help: """
      Speak HTTP/2 without asking. An https target is asked (ALPN) and gets HTTP/2 if it can; each connection then carries many \
      requests at a time.
      """)
  var isHTTP2 = false

  @Option(
    help: ArgumentHelp(
      """
      Local addresses that connections take in turn, separated by commas: each has some 28,000 ports of its own for a target. \
      (default: the system's choice)
      """, valueName: "addresses"))
  var sourceAddress: String?

  func validate() throws {
    guard (clientCert == nil) == (clientKey == nil) else {
      throw ValidationError("--client-cert and --client-key go together")
    }
  }

  /// What was asked for, for this recording and target.
  ///
  /// - Throws: `ExitCode` after saying why, when connections cannot be as recorded, or options don't fit the target.
  func connectOptions(for traffic: RecordedTraffic, _ target: TargetURL?) throws -> ConnectOptions {
    var options = ConnectOptions()
    options.mode = connections ?? (traffic.sharedConnections > 0 ? .keepAlive : .recorded)
    if connections == .recorded, traffic.sharedConnections > 0 {
      throw failure(
        Exit.usage,
        "--connections recorded: \(traffic.sharedConnections) recorded connections carried several sessions, as a "
          + "gateway's do or those behind a proxy; which agent opened them is not known. Choose keep-alive, per-request or shared:K"
      )
    }
    options.isHTTP2 = isHTTP2
    options.sources = sourceAddress?.split(separator: ",").map(String.init) ?? []
    guard let target, target.isSecure else {
      guard ca == nil, clientCert == nil else {
        throw failure(Exit.usage, "--ca and --client-cert are of use with an https target alone")
      }
      return options
    }
    var tls = TLSChoice(serverName: target.host)
    tls.authorities = ca
    tls.certificate = clientCert
    tls.key = clientKey
    options.tls = tls
    return options
  }
}

extension ConnectionMode: ExpressibleByArgument {
  /// Reads `recorded`, `keep-alive`, `per-request` or `shared:K`.
  public init?(argument: String) {
    switch argument {
    case "recorded": self = .recorded
    case "keep-alive": self = .keepAlive
    case "per-request": self = .perRequest
    default:
      guard argument.hasPrefix("shared:"), let count = Int(argument.dropFirst("shared:".count)),
        (1...1_000_000).contains(count)
      else { return nil }
      self = .shared(count)
    }
  }
}
