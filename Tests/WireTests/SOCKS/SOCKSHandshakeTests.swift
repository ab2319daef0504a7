import NIOCore
import Testing
import Wire

struct `SOCKS handshake` {
  static let client5: [[UInt8]] = [
    [5, 1, 0, 5, 1, 0, 1, 10, 0, 0, 1, 0, 80],
    [5, 2, 0, 2, 1, 2, 0x61, 0x62, 1, 0x63, 5, 1, 0, 3, 2, 0x68, 0x69, 0, 80],
    [5, 1, 0, 5, 1, 0, 4] + Array(repeating: 1, count: 16) + [0, 80],
    [4, 1, 0, 80, 10, 0, 0, 1, 0], [4, 1, 0, 80, 0, 0, 0, 1, 0x75, 0, 0x68, 0x69, 0],
  ]
  static let server: [[UInt8]] = [
    [5, 0, 5, 0, 0, 1, 10, 0, 0, 2, 0, 80], [5, 2, 1, 0, 5, 0, 0, 3, 1, 0x61, 0, 80], [5, 0xff],
    [0, 0x5a, 0, 0, 0, 0, 0, 0],
  ]

  @Test(arguments: client5)
  func `of a client is as long as its messages say`(_ bytes: [UInt8]) {
    expect(bytes, SOCKSHandshake(role: .client))
  }

  @Test(arguments: server)
  func `of a proxy is as long as its messages say`(_ bytes: [UInt8]) {
    expect(bytes, SOCKSHandshake(role: .server))
  }

  private func expect(_ bytes: [UInt8], _ handshake: SOCKSHandshake) {
    for count in 1..<bytes.count {
      #expect(handshake.progress(ByteBuffer(bytes: bytes[..<count])) == .more)
    }
    #expect(handshake.progress(ByteBuffer(bytes: bytes)) == .over(bytes.count))
    let more = bytes + Array("GET / HTTP/1.1\r\n\r\n".utf8) + Array(repeating: 1, count: 2000)
    #expect(handshake.progress(ByteBuffer(bytes: more)) == .over(bytes.count))
  }

  @Test(arguments: ["GET / HTTP/1.1\r\n", "HTTP/1.1 200", "\u{16}\u{3}"])
  func `is not what begins otherwise`(_ text: String) {
    for role in [SOCKSHandshake.Role.client, .server] {
      #expect(SOCKSHandshake(role: role).progress(ByteBuffer(string: text)) == .none)
    }
    #expect(!SOCKSHandshake.begins(ByteBuffer(string: text)))
  }

  @Test func `begins with a message that waits for an answer`() {
    #expect(SOCKSHandshake.begins(ByteBuffer(bytes: [5, 2, 0, 2])))
    #expect(SOCKSHandshake.begins(ByteBuffer(bytes: Self.client5[3])))
    #expect(SOCKSHandshake.begins(ByteBuffer(bytes: Self.client5[4])))
    for other: [UInt8] in [
      [5], [5, 0, 0], [5, 2, 0, 2, 0], [5, 1, 0x20], [4, 3, 0, 80, 1, 1, 1, 1, 0],
    ] {
      #expect(!SOCKSHandshake.begins(ByteBuffer(bytes: other)))
    }
  }

  @Test func `that never ends is none`() {
    let bytes: [UInt8] = [4, 1, 0, 80, 10, 0, 0, 1] + Array(repeating: 0x75, count: 2000)
    #expect(SOCKSHandshake(role: .client).progress(ByteBuffer(bytes: bytes)) == .none)
  }
}
