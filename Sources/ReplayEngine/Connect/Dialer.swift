import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import ReplayPlan

/// Opens connections to the target: address, TLS, source addresses, and what was found out about it before the run.
struct Dialer: Sendable {
  /// Bytes of one read: what a connection keeps while its agent thinks. NIO's own choice grows to 64 KiB with the answers.
  static let readSize = 4096
  /// Longest wait for the first connection.
  private static let patience: TimeAmount = .seconds(10)
  private static let protocols = ["h2", "http/1.1"]

  let mode: ConnectionMode
  /// Whether the target speaks HTTP/2 here.
  private(set) var isHTTP2: Bool
  /// Whether connections are encrypted.
  var isSecure: Bool { tls != nil }
  private let address: SocketAddress
  private let authority: String
  private let tls: NIOSSLContext?
  private let serverName: String?
  private let sources: [SocketAddress]

  /// Resolves names and reads certificates.
  ///
  /// - Throws: `TargetUnreachable` with what is wrong.
  init(_ target: ReplayTarget, _ options: ConnectOptions) throws {
    mode = options.mode
    isHTTP2 = options.isHTTP2
    authority = target.authority
    do {
      address = try SocketAddress.makeAddressResolvingHost(target.host, port: target.port)
    } catch {
      throw TargetUnreachable(target: target.authority, cause: "the name does not resolve")
    }
    let family = address.protocol
    sources = try options.sources.map { text in
      do {
        let source = try SocketAddress(ipAddress: text, port: 0)
        guard source.protocol == family else {
          throw TargetUnreachable(
            sentence:
              "--source-address \(text) is not of the target's kind of address; give those of one family"
          )
        }
        return source
      } catch let error as TargetUnreachable {
        throw error
      } catch {
        throw TargetUnreachable(sentence: "--source-address \(text) is no IP address")
      }
    }
    guard let choice = options.tls else {
      tls = nil
      serverName = nil
      return
    }
    tls = try Dialer.context(choice, onlyHTTP2: options.isHTTP2)
    // SNI takes names alone (RFC 6066 §3).
    serverName = Dialer.isIPAddress(choice.serverName) ? nil : choice.serverName
  }

  private static func isIPAddress(_ text: String) -> Bool {
    do {
      _ = try SocketAddress(ipAddress: text, port: 0)
      return true
    } catch {
      return false
    }
  }

  private static func context(_ choice: TLSChoice, onlyHTTP2: Bool) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.applicationProtocols = onlyHTTP2 ? ["h2"] : protocols
    do {
      if let file = choice.authorities {
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
      }
    } catch {
      throw TargetUnreachable(
        sentence:
          "cannot read certificates from --ca \(choice.authorities ?? ""); it has to be a PEM file")
    }
    do {
      if let file = choice.certificate {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(file)
          .map { .certificate($0) }
      }
      if let file = choice.key {
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: file, format: .pem))
      }
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw TargetUnreachable(
        sentence:
          "cannot use --client-cert \(choice.certificate ?? "") with --client-key \(choice.key ?? ""): "
          + "\(words(error)); both have to be PEM files, and of one pair")
    }
  }

  /// A bootstrap for each source address, for one loop.
  func bootstraps(_ loop: any EventLoop, timeout: TimeAmount) -> [ClientBootstrap] {
    let plain = { bootstrap(loop, timeout: timeout) }
    guard !sources.isEmpty else { return [plain()] }
    return sources.map { source in
      plain()
        // The port is chosen with the connection, so that a port serves for several targets.
        .channelOption(
          ChannelOptions.Types.SocketOption(
            level: .ip, name: .init(rawValue: Dialer.bindAddressNoPort)), value: 1
        )
        .bind(to: source)
    }
  }

  /// `IP_BIND_ADDRESS_NO_PORT` (ip(7)).
  private static let bindAddressNoPort: CInt = 24

  private func bootstrap(_ loop: any EventLoop, timeout: TimeAmount) -> ClientBootstrap {
    ClientBootstrap(group: loop)
      .connectTimeout(timeout)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.maxMessagesPerRead, value: 4)
      .channelOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Dialer.readSize))
  }

  /// Connects; `prepare` adds what takes the bytes.
  func connect(
    _ bootstrap: ClientBootstrap, _ prepare: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<any Channel> {
    bootstrap
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(
              try NIOSSLClientHandler(context: tls, serverHostname: serverName))
          }
          try prepare(channel)
        }
      }
      .connect(to: address)
  }

  /// Opens one connection for each source address and closes it again; learns what the server speaks.
  ///
  /// - Throws: `TargetUnreachable`.
  mutating func check(_ group: MultiThreadedEventLoopGroup) async throws {
    let bootstraps = bootstraps(group.next(), timeout: Dialer.patience)
    for (i, bootstrap) in bootstraps.enumerated() {
      do {
        let spoken = try await greet(bootstrap, group.next())
        if isSecure { try settle(spoken) }
      } catch let error as TargetUnreachable {
        throw error
      } catch {
        guard let error = error as? IOError, error.errnoCode == EADDRNOTAVAIL, !sources.isEmpty
        else { throw TargetUnreachable(target: authority, cause: Dialer.words(error)) }
        throw TargetUnreachable(
          sentence:
            "--source-address \(sources[i].ipAddress ?? "") is no address of this machine; see `ip address`"
        )
      }
    }
  }

  /// Connects once; returns what was agreed on over TLS.
  private func greet(_ bootstrap: ClientBootstrap, _ loop: any EventLoop) async throws -> String? {
    let promise = loop.makePromise(of: String?.self)
    let late = loop.scheduleTask(in: Dialer.patience) {
      promise.fail(TargetUnreachable(sentence: "\(authority) says nothing; is --target right?"))
    }
    let (isSecure, isHTTP2) = (isSecure, isHTTP2)
    do {
      let channel = try await connect(bootstrap) { channel in
        let greeting = TargetGreeting(promise, isSecure: isSecure, isHTTP2: isHTTP2)
        try channel.pipeline.syncOperations.addHandler(greeting)
      }.get()
      let spoken = try await promise.futureResult.get()
      late.cancel()
      // A server that closes it first was reached all the same.
      channel.close(promise: nil)
      return spoken
    } catch {
      late.cancel()
      promise.fail(error)
      throw error
    }
  }

  private mutating func settle(_ spoken: String?) throws {
    if isHTTP2, spoken != "h2" {
      throw TargetUnreachable(
        target: authority, cause: "it does not speak HTTP/2 over TLS; leave --http2 out")
    }
    isHTTP2 = spoken == "h2"
  }

  /// What an error says to people.
  private static func words(_ error: any Error) -> String {
    switch error {
    case let error as IOError: unsafe String(cString: strerror(error.errnoCode))
    case let error as NIOSSLError: words(error)
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      "its certificate is for another name"
    default: "\(error)"
    }
  }

  private static func words(_ error: NIOSSLError) -> String {
    let text = "\(error)"
    if text.contains("CERTIFICATE_VERIFY_FAILED") {
      return "its certificate is not of an authority that is trusted here; give that with --ca"
    }
    // What the library's own reasons look like, without where in its sources they come from.
    let reasons = text.split { !($0.isUppercase || $0.isNumber || $0 == "_") }
      .filter { $0.contains("_") && $0.first?.isLetter == true }
    return "the TLS handshake failed: \(reasons.last.map(String.init) ?? "no reason was given")"
  }
}
