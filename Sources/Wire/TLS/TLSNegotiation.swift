/// What the hellos of a connection say; a renegotiation begins it anew.
struct TLSNegotiation {
  /// Of the first ClientHello, also when the server asked for another.
  var clientRandom: TLSRandom?
  /// Of the ServerHello; `nil` until there is one.
  var serverHello: TLSServerHello?
  /// True once the server asked for another ClientHello.
  var isRetried = false
  /// True once that came.
  var hasSecondHello = false
  var offersEarlyData = false
  /// What the server says of it; `nil` until its EncryptedExtensions are read.
  var acceptsEarlyData: Bool?

  /// True for TLS 1.3, also after a HelloRetryRequest; `nil` before the server spoke.
  var isTLS13: Bool? {
    isRetried ? true : serverHello.map { $0.version >= .tls13 }
  }
}

/// What is known of a connection's handshake.
public struct TLSFacts: Hashable, Sendable {
  /// The version agreed on.
  public internal(set) var version: TLSVersion?
  /// The host that the client asked for.
  public internal(set) var serverName: String?
  /// The application protocol agreed on; in TLS 1.3 it is encrypted.
  public internal(set) var applicationProtocol: String?
  /// The application protocols that the client offered, best first.
  public internal(set) var offeredProtocols: [String] = []
  /// The suite agreed on.
  public internal(set) var suite: TLSCipherSuite?
  /// Handshakes after the first.
  public internal(set) var renegotiations = 0
}
