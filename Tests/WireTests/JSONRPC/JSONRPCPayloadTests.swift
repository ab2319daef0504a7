import Basics
import NIOCore
import Testing
import Wire

struct `JSON-RPC payload` {
  private func payload(_ text: String) -> JSONRPCPayload {
    JSONRPCPayload(ByteBuffer(string: text))
  }

  private func raw(_ text: String) -> RawJSON {
    RawJSON(trusted: ByteBuffer(string: text))
  }

  /// The only message of a text, its size checked.
  private func message(
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> JSONRPCMessage {
    let message = try #require(payload(text).messages.first, sourceLocation: sourceLocation)
    #expect(payload(text) == .single(message), sourceLocation: sourceLocation)
    #expect(message.bytes == text.utf8.count, sourceLocation: sourceLocation)
    return message
  }

  @Test(arguments: [
    #"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"add"}}"#,
    #"{"method":"tools/call","params":{"name":"add"},"jsonrpc":"2.0","id":4}"#,
    #"{"params":{"name":"add"},"id":4,"x":[{"id":9,"method":"no"}],"method":"tools/call"}"#,
    " {\r\n \"id\" : 4 , \"method\" : \"tools/call\" , \"params\" : { \"name\" : \"add\" } } \n",
    #"{"id":1,"method":"a","params":[],"id":4,"method":"tools/call","params":{"name":"add"}}"#,
    #"{"\u0069d":4,"m\u0065thod":"tools\/call","params":{"name":"add"},"jsonrpc":"2.0"}"#,
  ])
  func `a request has a method and an id, in any order`(_ text: String) throws {
    #expect(
      try message(text)
        == JSONRPCMessage(
          kind: .request, id: raw("4"), method: "tools/call", content: raw(#"{"name":"add"}"#),
          bytes: text.utf8.count))
  }

  @Test(arguments: [
    "0", "1", "-1", "1.5", "1.0", "1e3", "\"1\"", "\"\"", "\"\\u0031\"", "9007199254740993",
    "123456789012345678901234567890", "{\"a\":1}", "true",
  ])
  func `an id is its token`(_ id: String) throws {
    let request = try message(#"{"jsonrpc":"2.0","method":"ping","id":\#(id)}"#)
    #expect(request.kind == .request)
    #expect(request.id?.text == id)
    let answer = try message(#"{"result":{},"id":\#(id),"jsonrpc":"2.0"}"#)
    #expect(answer.kind == .result)
    #expect(answer.id?.text == id)
  }

  @Test(arguments: [
    #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    #"{"jsonrpc":"2.0","method":"notifications/initialized","id":null}"#,
    #"{"method":"notifications/initialized"}"#,
  ])
  func `a method without an id is a notification`(_ text: String) throws {
    #expect(
      try message(text)
        == JSONRPCMessage(
          kind: .notification, id: nil, method: "notifications/initialized", content: nil,
          bytes: text.utf8.count))
  }

  @Test(arguments: ["{\"content\":[]}", "null", "[]", "\"\"", "0", "false"])
  func `a result may be any value`(_ result: String) throws {
    let answer = try message(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#)
    #expect(answer.kind == .result)
    #expect(answer.content?.text == result)
    #expect(answer.method == "")
  }

  @Test(
    arguments: [
      (#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601}}"#, "1"),
      (#"{"jsonrpc":"2.0","id":null,"error":{"code":-32601}}"#, "null"),
      (#"{"jsonrpc":"2.0","error":{"code":-32601}}"#, nil), (#"{"error":{"code":-32601}}"#, nil),
      (#"{"error":{"code":-32601},"id":"server-error"}"#, "\"server-error\""),
      (#"{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":-32601}}"#, "1"),
    ] as [(String, String?)])
  func `an error may lack its id`(_ text: String, _ id: String?) throws {
    let answer = try message(text)
    #expect(answer.kind == .error)
    #expect(answer.id?.text == id)
    #expect(answer.content?.text == #"{"code":-32601}"#)
  }

  @Test(arguments: [
    #"{"error":"invalid_token","error_description":"expired"}"#, #"{"error":{"status":401}}"#,
    #"{"jsonrpc":"2.0","id":1,"error":"text"}"#, #"{"jsonrpc":"2.0","id":1}"#, "{}", "[]", "[[]]",
    #"{"method":5}"#, #"{"method":null,"id":1}"#, #"{"result":1}"#, "null", "\"method\"", "17",
    #"[{"a":1},2,"method"]"#, #"{"params":{"method":"a","id":1}}"#,
  ])
  func `other JSON is told apart`(_ text: String) {
    #expect(payload(text) == .otherJSON(raw(text)))
    #expect(payload(text).messages.isEmpty)
  }

  @Test(arguments: ["", " ", "{", "{]", "Not Found", "{\"a\":1}{\"a\":2}", "{'id':1}", "NaN"])
  func `what is not JSON is told apart`(_ text: String) {
    #expect(payload(text) == .notJSON)
    #expect(payload(text).messages.isEmpty)
  }

  @Test func `what is not UTF-8 is not JSON`() {
    let bytes = Array(#"{"jsonrpc":"2.0","id":1,"method":""#.utf8) + [0xff] + Array("\"}".utf8)
    #expect(JSONRPCPayload(ByteBuffer(bytes: bytes)) == .notJSON)
  }

  @Test func `a batch is split in order`() {
    let text =
      #"[ {"jsonrpc":"2.0","id":1,"method":"a"}, 7 ,{"method":"b"}, [{"id":2,"method":"no"}],"#
      + #"{"id":"1","result":[1, 2]} ]"#
    #expect(
      payload(text)
        == .batch(
          [
            JSONRPCMessage(kind: .request, id: raw("1"), method: "a", content: nil, bytes: 37),
            JSONRPCMessage(kind: .notification, id: nil, method: "b", content: nil, bytes: 14),
            JSONRPCMessage(
              kind: .result, id: raw("\"1\""), method: "", content: raw("[1,2]"), bytes: 25),
          ], others: 2))
  }

  @Test func `a payload beyond the nesting limit is not JSON`() {
    let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
    #expect(payload(#"{"jsonrpc":"2.0","id":1,"result":\#(deep)}"#) == .notJSON)
  }

  @Test func `reads a slice of a larger buffer`() {
    var buffer = ByteBuffer(string: #"data: {"id":7,"method":"ping"}"#)
    buffer.moveReaderIndex(forwardBy: 6)
    #expect(JSONRPCPayload(buffer).messages.map(\.id?.text) == ["7"])
  }
}
