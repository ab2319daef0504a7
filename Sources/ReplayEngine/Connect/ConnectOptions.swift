/// How a run reaches its target.
public struct ConnectOptions: Sendable {
  /// How agents use connections.
  public var mode = ConnectionMode.keepAlive
  /// TLS, where the target wants it.
  public var tls: TLSChoice?
  /// HTTP/2 without asking; over TLS the server chooses (ALPN).
  public var isHTTP2 = false
  /// Local addresses that connections take in turn; the system chooses where there are none.
  public var sources: [String] = []

  /// Creates the default: HTTP/1.1 in the clear, connections kept.
  public init() {}
}

/// Whom to trust, and who we are.
public struct TLSChoice: Sendable {
  /// File of certificates (PEM) that are trusted instead of the system's.
  public var authorities: String?
  /// File of the client's certificate chain (PEM).
  public var certificate: String?
  /// File of its key (PEM).
  public var key: String?
  /// The server's name, for SNI and its certificate.
  public var serverName: String

  /// Trusts what the system trusts.
  public init(serverName: String) { self.serverName = serverName }
}
