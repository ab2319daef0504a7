public import ArgumentParser
public import Proxy

/// Where `record proxy` listens and forwards to, as options.
struct ProxyRoutes: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Address to listen on: HOST:PORT, [IPV6]:PORT or unix:PATH.",
      discussion: """
        Repeat it with --upstream for several pairs in one process, in the same order; one --upstream serves any number of \
        --listen. A Unix socket's file that a dead process left is replaced, one that answers is not.
        """, valueName: "address"))
  var listen: [String] = []

  @Option(
    help: ArgumentHelp(
      "Server to forward to: http://HOST[:PORT], without a path, or unix:PATH.",
      discussion: """
        A name is resolved for each connection and its addresses are tried in turn, the next when one refuses or has not \
        answered for 250 ms.
        """, valueName: "url"))
  var upstream: [String] = []

  @Option(
    help: ArgumentHelp(
      "Forward each connection to where it was going, instead of --upstream: redirect or tproxy.",
      discussion: """
        redirect: rules of destination NAT brought it here (nftables redirect, iptables REDIRECT); needs no rights. tproxy: \
        tproxy rules did, on a router; needs CAP_NET_ADMIN. 'record proxy --print-redirect' prints either. The trace has \
        the destination as 'server' and 'upstream'. Servers see the proxy's address as the client's. Connections that lead back \
        to the proxy are reset.
        """, valueName: "how"))
  var transparent: ProxyConfiguration.Interception?

  @Option(
    help: ArgumentHelp(
      "Rewrite the Host field of HTTP/1 requests to this; once, or once for each pair.",
      discussion: """
        By default Host is forwarded as it came. The price of rewriting: request heads are read before they are forwarded, so \
        each is held until it is whole; all other bytes pass as they are, HTTP/2 unchanged. The trace has what the \
        client sent.
        """, valueName: "host"))
  var upstreamHost: [String] = []

  /// The routes in the order of `--listen`; says what is wrong with them and throws otherwise.
  func routes() throws -> [ProxyConfiguration.Route] {
    let upstreams = try upstream.map(ProxyAddress.upstream)
    if let transparent { return try intercepted(transparent) }
    guard !listen.isEmpty, !upstreams.isEmpty else {
      throw failure(
        Exit.usage,
        "missing \(listen.isEmpty ? "--listen" : "--upstream"); give --listen HOST:PORT --upstream http://HOST:PORT"
      )
    }
    guard upstreams.count == 1 || upstreams.count == listen.count else {
      throw failure(
        Exit.usage,
        "\(listen.count) --listen and \(upstreams.count) --upstream do not pair: give as many, or one --upstream for all"
      )
    }
    return try listen.enumerated().map { index, text in
      ProxyConfiguration.Route(
        listen: try ProxyAddress.listen(text),
        upstream: upstreams[min(index, upstreams.count - 1)], upstreamHost: try host(index))
    }
  }

  private func intercepted(
    _ interception: ProxyConfiguration.Interception
  ) throws -> [ProxyConfiguration.Route] {
    guard !listen.isEmpty, upstream.isEmpty else {
      throw failure(
        Exit.usage,
        "--transparent \(interception.rawValue) takes --listen HOST:PORT and no --upstream")
    }
    return try listen.enumerated().map { index, text in
      let address = try ProxyAddress.listen(text)
      guard case .tcp = address else {
        throw failure(
          Exit.usage, "--listen \(text): connections are redirected to TCP ports only")
      }
      return ProxyConfiguration.Route(
        listen: address, interception: interception, upstreamHost: try host(index))
    }
  }

  /// What the Host fields of a route become.
  private func host(_ index: Int) throws -> String? {
    guard upstreamHost.count < 2 || upstreamHost.count == listen.count else {
      throw failure(
        Exit.usage,
        "\(upstreamHost.count) --upstream-host for \(listen.count) pairs: give as many, or one for all"
      )
    }
    for host in upstreamHost where !host.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) {
      throw failure(Exit.usage, "--upstream-host \(host): want a host, as mcp.example or [::1]:80")
    }
    return upstreamHost.isEmpty ? nil : upstreamHost[min(index, upstreamHost.count - 1)]
  }
}

extension ProxyConfiguration.Interception: ExpressibleByArgument {}

/// Reads addresses of the command line.
enum ProxyAddress {
  /// `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; without a host, all of IPv4.
  static func listen(_ text: String) throws -> ProxyConfiguration.Address {
    if let path = try path(text, of: "--listen") { return path }
    return try hostAndPort(text, of: "--listen", as: "HOST:PORT, [IPV6]:PORT or unix:PATH")
  }

  /// `http://HOST[:PORT]` or `unix:PATH`.
  static func upstream(_ text: String) throws -> ProxyConfiguration.Address {
    if let path = try path(text, of: "--upstream") { return path }
    guard text.hasPrefix("http://") else {
      throw failure(
        Exit.usage,
        "--upstream \(text): want http://HOST:PORT or unix:PATH (this version forwards plain TCP)")
    }
    var rest = text.dropFirst("http://".count)
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard !rest.contains("/") else {
      throw failure(
        Exit.usage,
        "--upstream \(text): want scheme, host and port without a path; paths are forwarded as they are"
      )
    }
    let hasPort = rest.hasPrefix("[") ? rest.contains("]:") : rest.contains(":")
    return try hostAndPort(
      String(rest) + (hasPort ? "" : ":80"), of: "--upstream",
      as: "http://HOST:PORT, http://[IPV6]:PORT or unix:PATH")
  }

  private static func path(
    _ text: String, of option: String
  ) throws -> ProxyConfiguration.Address? {
    guard text.hasPrefix("unix:") else { return nil }
    let path = String(text.dropFirst("unix:".count))
    guard path.hasPrefix("/"), path.utf8.count <= ProxyConfiguration.Address.unixPathLimit else {
      throw failure(
        Exit.usage,
        "\(option) \(text): want an absolute path of at most \(ProxyConfiguration.Address.unixPathLimit) bytes"
      )
    }
    return .unix(path: path)
  }

  private static func hostAndPort(
    _ text: String, of option: String, as wanted: String
  ) throws -> ProxyConfiguration.Address {
    let wrong = "\(option) \(text): want \(wanted)"
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port)
    else { throw failure(Exit.usage, wrong) }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      throw failure(Exit.usage, wrong)
    }
    return .tcp(host: host.isEmpty ? "0.0.0.0" : host, port: port)
  }
}
