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
