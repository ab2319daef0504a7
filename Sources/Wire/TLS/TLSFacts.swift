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
