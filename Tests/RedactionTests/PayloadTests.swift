import Basics
import NIOCore
import Redaction
import Testing

private let key = RedactionKey(bytes: Array(repeating: 7, count: 32))
private let surrogate = Redactor(key: key).surrogate

private func redactor(_ rules: String..., isShape: Bool = false) throws -> PayloadRedactor {
  PayloadRedactor(
    PayloadRules(key: key, rules: try RedactionRule.rules(rules), isShape: isShape))
}

private func json(_ text: String) throws -> RawJSON {
  try #require(RawJSON(validating: ByteBuffer(string: text)))
}

private let token = "ghp_" + "kX3vB9qLm2ZtR7wYc5NpD8sHf1JgK4TaV6eU"

struct `Rules for payloads` {
  @Test(arguments: [
    ("/params/a", #"{"a":"secret 1","b":"secret 1b"}"#, ["/a"]),
    ("/params/a", #"{"a":{"x":["one",2,true,null]}}"#, ["/a/x/0", "/a/x/1", "/a/x/2"]),
    ("/params/*/email", #"{"u":{"email":"a@b.c"},"email":"d@e.f"}"#, ["/u/email"]),
    (
      "/params/**/email", #"{"u":[{"v":{"email":"a@b.c"}}],"email":"d@e.f"}"#,
      ["/u/0/v/email", "/email"]
    ),
    ("/**/email", #"{"email":"a@b.c"}"#, ["/email"]),
    ("/params/l/1", #"{"l":["aa","bb","cc"]}"#, ["/l/1"]),
    ("/params/a~1b/m~0n", #"{"a/b":{"m~n":"xx"}}"#, ["/a~1b/m~0n"]),
    ("/params/t/user/id", #"{"t":"{\"user\": {\"id\": \"u-1\"}, \"x\": 1}"}"#, ["/t#/user/id"]),
    ("/params/\u{e9}", #"{"\u00e9":"xx"}"#, ["/\u{e9}"]),
    ("/result/a", #"{"a":"x"}"#, []),
    ("/params/a/**", #"{"a":{"b":"xx"}}"#, ["/a/b"]),
  ])
  func `replace what lies at a place`(rule: String, text: String, expected: [String]) throws {
    let payload = try redactor(rule).payload(try json(text), .params, of: "tools/call")
    #expect(payload.pointers ?? [] == expected)
    #expect(RawJSON(validating: payload.json.bytes) == payload.json)
    if expected.isEmpty { #expect(payload.json == (try json(text))) }
  }

  @Test func `keep white space and escapes of what stays`() throws {
    let text = #"{"t":"{\"user\": {\"id\": \"u-1\"},\n \"x\": 1}","k":"caf\u00e9 \/"}"#
    let payload = try redactor("/params/t/user").payload(try json(text), .params, of: "m")
    let id = surrogate("u-1")
    #expect(payload.json.text == text.replacing("u-1", with: id))
  }

  @Test func `replace what an expression finds, or its groups`() throws {
    let ssn = try redactor(#"re:\b\d{3}-\d{2}-\d{4}\b"#)
    #expect(ssn.text("no 123-45-6789, no 12") == "no \(surrogate("123-45-6789")), no 12")
    let group = try redactor(#"re:user (\w+)"#)
    #expect(group.text("user alice logs in") == "user \(surrogate("alice")) logs in")
    #expect(group.text("é user bob") == "é user \(surrogate("bob"))")
  }

  @Test func `give equal values equal surrogates in text, names, headers and JSON inside text`()
    throws
  {
    let redactor = try redactor("secrets")
    let hidden = surrogate(token)
    let payload = redactor.payload(
      try json(
        #"{"arguments":{"a":"\#(token)","text":"use \#(token).","in":"{\"k\": \"\#(token)\"}","\#(token)":1}}"#
      ),
      .params, of: "tools/call")
    #expect(!payload.json.text.contains(token))
    #expect(payload.json.text.split(separator: hidden).count == 5)
    let fields: HeaderFields = [
      HeaderField("X-Note", "see \(token)"), HeaderField("Mcp-Param-A", token),
      HeaderField("Mcp-Param-B", "=?base64?\(Base64.encode(ByteBuffer(string: "é \(token)")))?="),
      HeaderField("Accept", "application/json"),
    ]
    let shown = redactor.fields(fields, of: fields, repeating: payload.changes)
    #expect(shown[0].value == "see \(hidden)")
    #expect(shown[1].value == hidden)
    #expect(shown[2].value == "=?base64?\(Base64.encode(ByteBuffer(string: "é \(hidden)")))?=")
    #expect(shown[3] == fields[3])
  }

  @Test func `find in addresses what stands beside credentials`() throws {
    let fields: HeaderFields = [
      HeaderField("Location", "https://u:pw1234@h/\(token)/x?code=abcdef0123&page=2")
    ]
    let shown = RedactionMemo(Redactor(key: key)).fields(fields)
    let redactor = try redactor("secrets")
    let expected =
      "https://\(surrogate("u")):\(surrogate("pw1234"))@h/\(surrogate(token))/x?code="
      + "\(surrogate("abcdef0123"))&page=2"
    #expect(redactor.fields(shown, of: fields, repeating: [])[0].value == expected)
    #expect(redactor.text(fields[0].value, over: shown[0].value) == expected)
  }

  @Test func `hide in headers what they repeat of params`() throws {
    let redactor = try redactor("/params/arguments/region", "/params/uri")
    let payload = redactor.payload(
      try json(#"{"uri":"file:///a","arguments":{"region":"zürich","n":1}}"#), .params, of: "m")
    let fields: HeaderFields = [
      HeaderField("mcp-name", "file:///a"), HeaderField("Mcp-Param-N", "1"),
      HeaderField("Mcp-Param-Region", "=?base64?esO8cmljaA==?="),
    ]
    let shown = redactor.fields(fields, of: fields, repeating: payload.changes)
    #expect(shown[0].value == surrogate("file:///a"))
    #expect(shown[1].value == "1")
    let region = Base64.encode(ByteBuffer(string: surrogate("zürich")))
    #expect(shown[2].value == "=?base64?\(region)?=")
  }

  @Test func `hide a value that was hidden once wherever it comes again`() throws {
    let redactor = try redactor("/result/**/ssn", "secrets")
    _ = redactor.payload(try json(#"{"x":{"ssn":"078-05-1120"}}"#), .result, of: "m")
    let payload = redactor.payload(
      try json(#"{"arguments":{"id":"078-05-1120","t":"for 078-05-1120 now"}}"#), .params, of: "m")
    let hidden = surrogate("078-05-1120")
    #expect(
      payload.json.text == #"{"arguments":{"id":"\#(hidden)","t":"for \#(hidden) now"}}"#)
  }

  @Test(arguments: [
    (#"{"password":"hunter"}"#, true), (#"{"clientSecret":"plain"}"#, true),
    (#"{"a":{"api_key":"k1"}}"#, false), (#"{"a":{"api_key":"k12"}}"#, true),
    (#"{"api_keys":["k12","k13"]}"#, true), (#"{"pwd":123456}"#, true),
    (#"{"password":{"type":"string","minLength":8}}"#, false), (#"{"token":"abc"}"#, false),
    (#"{"token":"0123456789abcdef"}"#, true), (#"{"max_tokens":4096}"#, false),
    (#"{"nextPageToken":"0123456789abcdef"}"#, false), (#"{"password":null}"#, false),
    (#"{"authorization":"Bearer abc.def"}"#, true), (#"{"required":["password"]}"#, false),
    (#"{"key":"PROJ-1","primaryKey":"PROJ-1"}"#, false),
    (#"{"session_id":"467cf8b2628c481e"}"#, false),
    (#"{"passwordHint":"your dog"}"#, false), (#"{"APIKey":"abc"}"#, true),
    (#"{"DB_PASSWORD":"x1y"}"#, true),
  ])
  func `take values of names for credentials`(text: String, isHidden: Bool) throws {
    let payload = try redactor("secrets").payload(try json(text), .params, of: "m")
    #expect((payload.json.text != text) == isHidden, "\(payload.json.text)")
  }

  @Test func `hide credentials in metadata without any rule, and nothing else`() throws {
    let text =
      #"{"_meta":{"progressToken":"0123456789abcdef","auth":{"accessToken":"t0ken"},"authorization":"Bearer abc"},"arguments":{"password":"p"}}"#
    let content = try json(text)
    let meta = try #require(content.member("_meta"))
    let payload = PayloadRedactor(credentialsOf: key)
      .credentials(in: content, meta: meta, .params, of: "tools/call")
    let expected = text.replacing("t0ken", with: surrogate("t0ken"))
      .replacing("Bearer abc", with: "Bearer " + surrogate("abc"))
    #expect(payload.json.text == expected)
  }

  @Test(arguments: [
    ("email", "'email' is no rule"), ("/params/", "'/params/' is no rule"), ("", "'' is no rule"),
    ("re:(", "is no regular expression"), ("re:", "wants a regular expression"),
  ])
  func `say what is wrong with them`(argument: String, reason: String) {
    #expect {
      _ = try RedactionRule(argument)
    } throws: {
      "\($0)".contains(reason)
    }
  }
}

struct `The shape of payloads` {
  @Test func `keeps structure, types, lengths and the protocol's words`() throws {
    let text =
      #"{"name":"add","arguments":{"a":12,"b":"Hello wörld","c":[true,null,1.5],"d":""},"_meta":{"progressToken":7}}"#
    let payload = try redactor(isShape: true).payload(try json(text), .params, of: "tools/call")
    let expected = text.replacing("Hello wörld", with: surrogate("Hello wörld"))
      .replacing("1.5", with: surrogate("1.5")).replacing("12", with: surrogate("12"))
    #expect(payload.json.text == expected)
    let answer =
      #"{"content":[{"type":"text","text":"{\"id\": \"t-1\"}"}],"isError":true,"resultType":"complete"}"#
    let result = try redactor(isShape: true).payload(try json(answer), .result, of: "tools/call")
    #expect(result.json.text == answer.replacing("t-1", with: surrogate("t-1")))
    let list = #"{"tools":[{"name":"add","description":"Adds"}]}"#
    let tools = try redactor(isShape: true).payload(try json(list), .result, of: "tools/list")
    #expect(tools.json.text == list.replacing("Adds", with: surrogate("Adds")))
  }

  @Test func `stands deep and large payloads`() throws {
    let deep = String(repeating: "[", count: 500) + "1" + String(repeating: "]", count: 500)
    let hidden = try redactor(isShape: true).payload(try json(deep), .params, of: "m").json
    #expect(hidden.bytes.readableBytes == deep.utf8.count && hidden.text != deep)
    let large = "{\"a\":\"" + String(repeating: "lorem ipsum ", count: 200_000) + "\"}"
    let shown = try redactor(isShape: true).payload(try json(large), .params, of: "m").json
    #expect(shown.bytes.readableBytes == large.utf8.count && !shown.text.contains("lorem"))
  }
}
