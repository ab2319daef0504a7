import Basics
import NIOCore
import TestKit
import Testing
import Wire

/// Traffic secrets and keys of RFC 8448 §3.
private enum RFC8448 {
  static let random = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"
  static let clientHandshake = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"
  static let serverHandshake = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"
  static let client = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
  static let server = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"

  static let keyLog = """
    CLIENT_HANDSHAKE_TRAFFIC_SECRET \(random) \(clientHandshake)
    SERVER_HANDSHAKE_TRAFFIC_SECRET \(random) \(serverHandshake)
    CLIENT_TRAFFIC_SECRET_0 \(random) \(client)
    SERVER_TRAFFIC_SECRET_0 \(random) \(server)
    """
}

struct `TLS key schedule` {
  @Test(arguments: [
    (RFC8448.clientHandshake, "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f"),
    (RFC8448.serverHandshake, "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"),
    (RFC8448.client, "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"),
    (RFC8448.server, "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"),
  ]) func `expands traffic secrets as RFC 8448 says`(secret: String, key: String, iv: String) {
    let secret = hex(secret)
    #expect(TLSKeySchedule.expand(.sha256, secret, label: "key", count: 16) == hex(key))
    #expect(TLSKeySchedule.expand(.sha256, secret, label: "iv", count: 12) == hex(iv))
  }

  @Test func `stretches secrets as the test vectors of TLS 1.2 say`() {
    let sha256 = TLSKeySchedule.prf(
      .tls12, .sha256, secret: hex("9bbe436ba940f017b17652849a71db35"), label: "test label",
      seed: hex("a0ba9f936cda311827a6f796ffd5198c"), count: 100)
    #expect(
      sha256
        == hex(
          """
          e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af
          0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701
          87347b66
          """))
    let sha384 = TLSKeySchedule.prf(
      .tls12, .sha384, secret: hex("b80b733d6ceefcdc71566ea48e5567df"), label: "test label",
      seed: hex("cd665cf6a8447dd6ff8b27555edb7465"), count: 148)
    #expect(
      sha384
        == hex(
          """
          7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0
          e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425
          9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070
          3d73e56f
          """))
  }

  @Test func `decrypts the simple handshake of RFC 8448`() throws {
    var segments: [Segment] = []
    for line in try Fixture.text("tls/rfc8448-section-3.txt").split(separator: "\n") {
      let fields = line.split(separator: " ")
      segments.append(
        Segment(
          direction: fields[0] == "c2s" ? .c2s : .s2c, bytes: hex(String(fields[1])),
          at: Timestamp(nanoseconds: Int64(segments.count))))
    }
    let log = TLSKeyLog()
    log.append(ByteBuffer(string: RFC8448.keyLog))
    let decoded = DecodedTLS(segments, log: log)
    #expect(decoded.plain == [.c2s: Array(0..<50), .s2c: Array(0..<50)])
    #expect(decoded.parts.map(\.at.nanoseconds) == [5, 6])
    #expect(decoded.ends == ["c2s fin", "s2c fin"])
    #expect(decoded.lost == [:])
    #expect(decoded.balances)
    #expect(decoded.facts.version == .tls13)
    #expect(decoded.facts.serverName == "server")
    #expect(decoded.facts.suite?.name == "TLS_AES_128_GCM_SHA256")
  }
}
