import Basics
import NIOCore
import NIOHPACK
import Testing
import Wire

/// The client's side against frames made by hand.
struct HTTP2ClientTests {
  private static let fields = [
    HeaderField(":method", "POST"), HeaderField(":scheme", "http"),
    HeaderField(":authority", "t"), HeaderField(":path", "/mcp"),
  ]

  private static func frame(
    _ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: ByteBuffer = ByteBuffer()
  ) -> ByteBuffer {
    var out = ByteBuffer()
    out.writeInteger(UInt32(payload.readableBytes) << 8 | UInt32(type))
    out.writeInteger(flags)
    out.writeInteger(stream)
    out.writeImmutableBuffer(payload)
    return out
  }

  private static func numbers(_ values: UInt32...) -> ByteBuffer {
    values.reduce(into: ByteBuffer()) { $0.writeInteger($1) }
  }

  private static func head(_ status: String) throws -> ByteBuffer {
    var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
    var out = ByteBuffer()
    try encoder.encode(headers: [":status": status, "content-type": "text/plain"], to: &out)
    return out
  }

  /// Types and streams of the frames in `bytes`, behind the preface where there is one.
  private static func frames(_ bytes: ByteBuffer?) -> [String] {
    guard var bytes else { return [] }
    if bytes.getString(at: bytes.readerIndex, length: 3) == "PRI" {
      bytes.moveReaderIndex(forwardBy: 24)
    }
    var found: [String] = []
    while let first = bytes.readInteger(as: UInt32.self),
      let flags = bytes.readInteger(as: UInt8.self),
      let stream = bytes.readInteger(as: UInt32.self)
    {
      found.append("\(first & 0xff)/\(flags)@\(stream)+\(first >> 8)")
      bytes.moveReaderIndex(forwardBy: Int(first >> 8))
    }
    return found
  }

  private static func words(_ client: inout HTTP2Client) -> [String] {
    var said: [String] = []
    while let event = client.next() {
      switch event {
      case .head(let stream, let status, let fields, let ends):
        said.append("head \(stream) \(status) \(fields.first("content-type") ?? "-") \(ends)")
      case .data(let stream, let bytes): said.append("data \(stream) \(String(buffer: bytes))")
      case .end(let stream): said.append("end \(stream)")
      case .reset(let stream, let refused): said.append("reset \(stream) \(refused)")
      case .failed(let cause): said.append("failed: \(cause)")
      }
    }
    return said
  }

  private static func opened(_ body: String? = "hello") -> HTTP2Client {
    var client = HTTP2Client()
    _ = client.output()
    _ = client.request(fields, body: body.map { ByteBuffer(string: $0) })
    return client
  }

  @Test func `begins with the preface, its settings and a wider window`() {
    var client = HTTP2Client()
    let bytes = client.output()
    #expect(bytes?.getString(at: 0, length: 14) == "PRI * HTTP/2.0")
    #expect(Self.frames(bytes) == ["4/0@0+12", "8/0@0+4"])
    #expect(client.output() == nil)
  }

  @Test func `an answer comes the same however it is cut`() throws {
    var answer = Self.frame(4)
    answer.writeImmutableBuffer(Self.frame(1, flags: 4, stream: 1, try Self.head("200")))
    answer.writeImmutableBuffer(Self.frame(0, stream: 1, ByteBuffer(string: "abc")))
    answer.writeImmutableBuffer(Self.frame(0, flags: 1, stream: 1, ByteBuffer(string: "def")))
    for step in [1, 2, 7, answer.readableBytes] {
      var client = Self.opened()
      var rest = answer
      while rest.readableBytes > 0, let part = rest.readSlice(length: min(step, rest.readableBytes))
      {
        client.append(part)
      }
      #expect(
        Self.words(&client)
          == ["head 1 200 text/plain false", "data 1 abc", "data 1 def", "end 1"], "cut by \(step)")
      #expect(client.openStreams == 0)
    }
  }

  @Test func `sends no more than the windows take, and the rest when they widen`() {
    var client = Self.opened(nil)
    _ = client.output()
    var settings = ByteBuffer()
    settings.writeInteger(UInt16(4))
    settings.writeInteger(UInt32(10))
    client.append(Self.frame(4, settings))
    #expect(Self.frames(client.output()) == ["4/1@0+0"])
    _ = client.request(Self.fields, body: ByteBuffer(string: String(repeating: "x", count: 25)))
    #expect(Self.frames(client.output()).last == "0/0@3+10")
    client.append(Self.frame(8, stream: 3, Self.numbers(100)))
    #expect(Self.frames(client.output()) == ["0/1@3+15"])
  }

  @Test func `answers a ping, and opens no stream beyond the server's limit`() {
    var client = Self.opened()
    _ = client.output()
    client.append(Self.frame(6, Self.numbers(1, 2)))
    #expect(Self.frames(client.output()) == ["6/1@0+8"])
    var settings = ByteBuffer()
    settings.writeInteger(UInt16(3))
    settings.writeInteger(UInt32(1))
    client.append(Self.frame(4, settings))
    #expect(!client.hasRoom && client.isUsable)
  }

  @Test func `GOAWAY leaves what the server looks at and gives the rest back`() {
    var client = Self.opened()
    _ = client.request(Self.fields, body: nil)
    client.append(Self.frame(7, Self.numbers(1, 0)))
    #expect(Self.words(&client) == ["reset 3 true"])
    #expect(!client.isUsable && client.openStreams == 1)
  }

  @Test func `a reset stream is told apart from a refused one`() {
    var client = Self.opened()
    _ = client.request(Self.fields, body: nil)
    client.append(Self.frame(3, stream: 1, Self.numbers(8)))
    client.append(Self.frame(3, stream: 3, Self.numbers(7)))
    #expect(Self.words(&client) == ["reset 1 false", "reset 3 true"])
  }

  @Test func `a stream that is given up is reset, and its late answer is ignored`() throws {
    var client = Self.opened()
    _ = client.output()
    client.cancel(1)
    #expect(Self.frames(client.output()) == ["3/0@1+4"])
    client.append(Self.frame(1, flags: 5, stream: 1, try Self.head("200")))
    #expect(Self.words(&client).isEmpty)
  }

  @Test func `gives the windows back`() throws {
    var client = Self.opened()
    _ = client.output()
    client.append(Self.frame(1, flags: 4, stream: 1, try Self.head("200")))
    let part = ByteBuffer(repeating: 0x61, count: 16384)
    var sent: [String] = []
    for _ in 0..<40 {
      client.append(Self.frame(0, stream: 1, part))
      sent += Self.frames(client.output())
    }
    #expect(sent == ["8/0@1+4"])
  }

  @Test func `what is no HTTP2 ends the connection`() {
    var client = Self.opened()
    client.append(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
    #expect(Self.words(&client) == ["failed: what came is no HTTP/2"])
    #expect(!client.isUsable && client.openStreams == 0)
  }
}
