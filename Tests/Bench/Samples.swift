import NIOCore

/// Messages as SDKs write them, by size and shape.
enum Samples {
  /// A small request, 158 bytes.
  static let request = ByteBuffer(
    string: #"{"method":"tools/call","params":{"name":"search_issues","arguments":{"query":"#
      + #""broken login","limit":20,"offset":0},"_meta":{"progressToken":17}},"#
      + #""jsonrpc":"2.0","id":17}"#)

  /// An answer whose text has 64 KB, with escapes as JSON inside JSON has them.
  static let text: ByteBuffer = {
    let sentence =
      #"The login page of the customer portal answers {\"status\":500} now and then.\n"#
    let text = String(repeating: sentence, count: (64 << 10) / sentence.utf8.count)
    return ByteBuffer(
      string: #"{"jsonrpc":"2.0","id":17,"result":{"content":[{"type":"text","text":"\#(text)"}]}}"#
    )
  }()

  /// An answer with 52 KB of short keys and values.
  static let keys: ByteBuffer = {
    let entries = (0..<700).map {
      #"{"id":\#($0),"key":"T-\#($0)","state":"open","votes":\#($0 * 7),"score":0.\#($0)}"#
    }
    return ByteBuffer(
      string: #"{"jsonrpc":"2.0","id":17,"result":{"structuredContent":{"issues":["#
        + entries.joined(separator: ",") + "]}}}")
  }()

  /// The same as a pretty-printer writes it.
  static let spaced: ByteBuffer = {
    let text = String(buffer: keys).replacing(",", with: ",\n    ").replacing(":", with: ": ")
    return ByteBuffer(string: text)
  }()

  static let requestHead =
    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: application/json, text/event-stream\r\n"
    + "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nUser-Agent: python-httpx/0.28.1\r\n"
    + "content-type: application/json\r\nmcp-protocol-version: 2025-11-25\r\n"
    + "mcp-session-id: 8f2c1d34b3c44d5f9a0c6b7e8d9f0a1b\r\nContent-Length: 158\r\n\r\n"

  static let responseHead =
    "HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 09:00:00 GMT\r\nserver: uvicorn\r\n"
    + "cache-control: no-cache, no-transform\r\nconnection: keep-alive\r\n"
    + "content-type: text/event-stream\r\nmcp-session-id: 8f2c1d34b3c44d5f9a0c6b7e8d9f0a1b\r\n"
    + "x-accel-buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"

  /// A keep-alive POST with its body.
  static let post = ByteBuffer(string: requestHead + String(buffer: request))

  /// Its answer: one event in one chunk.
  static let answer: ByteBuffer = {
    let event = String(buffer: Samples.event)
    let size = String(event.utf8.count, radix: 16)
    return ByteBuffer(string: responseHead + size + "\r\n" + event + "\r\n0\r\n\r\n")
  }()

  /// One event of a stream.
  static let event = ByteBuffer(
    string: "event: message\r\ndata: " + #"{"jsonrpc":"2.0","id":17,"result":{"content":[{"type":"#
      + #""text","text":"3 issues"}],"isError":false}}"# + "\r\n\r\n")

  /// A megabyte of a listing in one event.
  static let longEvent = ByteBuffer(
    string: "event: message\ndata: " + String(repeating: String(buffer: request), count: 6600)
      + "\n\n")
}
