import NIOCore

/// One MCP session that is being made up: initialize, calls (or a listening stream), DELETE; an exchange a step.
struct GeneratedSession {
  private(set) var connection: GeneratedConnection
  /// Packets that are not written yet, in time order.
  private(set) var packets: [GeneratedConnection.Packet] = []
  /// How many of them were taken.
  private var taken = 0

  private let shape: TrafficShape
  private let text: GeneratedText
  private var noise: SeededGenerator
  private let id: String
  private let isListener: Bool
  private let calls: Int
  private var step = 0
  private(set) var isOver = false

  init(number: Int, at: Int64, shape: TrafficShape, text: GeneratedText, seed: UInt64) {
    noise = SeededGenerator(seed: seed &+ UInt64(number) &* 0x9e37_79b9)
    self.shape = shape
    self.text = text
    let high = String(noise.next() | 1 << 63, radix: 16)
    id = high + String(noise.next() | 1 << 63, radix: 16)
    isListener = Double.random(in: 0..<1, using: &noise) < shape.listenShare
    calls = 1 + Int(Double(shape.calls) * Double.random(in: 0.5..<1.5, using: &noise))
    connection = GeneratedConnection(
      number: number, at: at, mtu: shape.mtu, noise: SeededGenerator(seed: noise.next()))
  }

  /// The next packet, `nil` when the session is over.
  mutating func next() -> GeneratedConnection.Packet? {
    while taken == packets.count {
      guard !isOver else { return nil }
      advance()
      packets = connection.takePackets()
      taken = 0
    }
    taken += 1
    return packets[taken - 1]
  }

  private mutating func advance() {
    switch step {
    case 0: handshake()
    case 1...calls: if isListener { listen() } else { call() }
    default:
      if isListener {
        connection.send(1, ByteBuffer(string: "0\r\n\r\n"), after: 100)
      } else {
        request("DELETE", nil)
        connection.send(1, head("200 OK", ["content-length: 0"]), after: 150)
      }
      connection.close()
      isOver = true
    }
    step += 1
  }

  private mutating func handshake() {
    connection.open()
    let hello = #""protocolVersion":"2025-06-18","capabilities":{}"#
    request(
      "POST",
      #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{\#(hello),"clientInfo":{"name":"gen","version":"1"}}}"#,
      isFirst: true)
    json(
      #"{"jsonrpc": "2.0", "id": 0, "result": {\#(hello), "serverInfo": {"name": "srv", "version": "1"}}}"#
    )
    request("POST", #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
    connection.send(1, head("202 Accepted", ["content-length: 0"]), after: 200)
    if isListener {
      request("GET", nil)
      connection.send(1, streamHead, after: 400)
    }
  }

  private mutating func listen() {
    let data = text.some(Int.random(in: 60...400, using: &noise), &noise)
    event(
      #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"\#(data)"}}"#,
      number: step, after: 30_000)
    if step % 7 == 3 { chunk(ByteBuffer(string: ": keep-alive\r\n\r\n"), after: 20_000) }
  }

  private mutating func call() {
    let size = Double(shape.requestBytes) * Double.random(in: 0.4..<1.6, using: &noise)
    let query = text.some(max(40, Int(size) - 140), &noise)
    request(
      "POST",
      #"{"jsonrpc":"2.0","id":\#(step),"method":"tools/call","params":{"name":"search_\#(step % 9)","#
        + #""arguments":{"query":"\#(query)","limit":\#(step)},"_meta":{"progressToken":\#(step)}}}"#
    )
    let isLarge = Double.random(in: 0..<1, using: &noise) < shape.largeShare
    let large = isLarge ? Int.random(in: 4000...24_000, using: &noise) : 0
    guard Double.random(in: 0..<1, using: &noise) < shape.streamShare else {
      let size = large > 0 ? large : Int.random(in: 100...1400, using: &noise)
      return json(
        #"{"jsonrpc": "2.0", "id": \#(step), "result": {"content": [{"type": "text", "text": "\#(text.some(size, &noise))"}], "isError": false}}"#
      )
    }
    connection.send(1, streamHead, after: 700)
    let count = Int.random(in: 1...3, using: &noise)
    for i in 0..<count {
      let message = text.some(Int.random(in: 20...160, using: &noise), &noise)
      event(
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(step),"progress":\#(i),"#
          + #""total":\#(count),"message":"\#(message)"}}"#, number: step * 10 + i, after: 2500)
    }
    let rest = Double(shape.streamBytes) * Double.random(in: 0.3..<1.4, using: &noise)
    let bytes = large > 0 ? large : max(50, Int(rest) - count * 190)
    event(
      #"{"jsonrpc":"2.0","id":\#(step),"result":{"content":[{"type":"text","text":"\#(text.some(bytes, &noise))"}],"isError":false}}"#,
      number: step * 10 + count, after: 1500)
    connection.send(1, ByteBuffer(string: "0\r\n\r\n"), after: 20)
  }

  // MARK: HTTP

  private func head(_ line: String, _ fields: [String]) -> ByteBuffer {
    ByteBuffer(string: "HTTP/1.1 \(line)\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
  }

  private var streamHead: ByteBuffer {
    head(
      "200 OK",
      [
        "content-type: text/event-stream", "cache-control: no-cache, no-transform",
        "mcp-session-id: \(id)", "transfer-encoding: chunked", "connection: keep-alive",
      ])
  }

  private mutating func request(_ method: String, _ body: String?, isFirst: Bool = false) {
    var fields =
      "\(method) /mcp HTTP/1.1\r\nHost: 127.0.0.1:\(connection.port)\r\nContent-Type: application/json\r\n"
      + "Accept: application/json, text/event-stream\r\nUser-Agent: gen-mcp/1.0\r\nConnection: keep-alive\r\n"
    if !isFirst { fields += "Mcp-Session-Id: \(id)\r\nMCP-Protocol-Version: 2025-06-18\r\n" }
    if let body { fields += "Content-Length: \(body.utf8.count)\r\n" }
    connection.send(0, ByteBuffer(string: fields + "\r\n" + (body ?? "")), after: 300)
  }

  private mutating func json(_ body: String) {
    var message = head(
      "200 OK",
      [
        "content-type: application/json", "mcp-session-id: \(id)",
        "content-length: \(body.utf8.count)",
      ])
    message.writeString(body)
    connection.send(1, message, after: 1500)
  }

  private mutating func event(_ data: String, number: Int, after microseconds: Int64) {
    let event = "event: message\r\nid: \(id.prefix(8))-\(number)\r\ndata: \(data)\r\n\r\n"
    chunk(ByteBuffer(string: event), after: microseconds)
  }

  private mutating func chunk(_ bytes: ByteBuffer, after microseconds: Int64) {
    var chunk = ByteBuffer(string: String(bytes.readableBytes, radix: 16) + "\r\n")
    chunk.writeImmutableBuffer(bytes)
    chunk.writeString("\r\n")
    connection.send(1, chunk, after: microseconds)
  }
}

/// Text to take pieces from: words of small letters.
struct GeneratedText: Sendable {
  private let all: String

  init(_ noise: inout SeededGenerator) {
    let letters = Array("abcdefghijklmnopqrstuvwxyz      ".utf8)
    let bytes = (0..<65_536).map { _ in letters[Int(noise.next() % UInt64(letters.count))] }
    all = String(decoding: bytes, as: UTF8.self)
  }

  func some(_ count: Int, _ noise: inout SeededGenerator) -> Substring {
    let start = Int(noise.next() % UInt64(65_536 - min(count, 60_000)))
    let from = all.utf8.index(all.utf8.startIndex, offsetBy: start)
    return all[from..<all.utf8.index(from, offsetBy: min(count, 60_000))]
  }
}
