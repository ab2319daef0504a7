import Basics

/// A conversation with a secret wherever one may be; each is a text that must not be found anywhere later.
public struct PlantedSecrets {
  /// What is replaced whatever the rules say.
  public private(set) var credentials: [String] = []
  /// What the rule `secrets` is for.
  public private(set) var tokens: [String] = []
  /// The conversation.
  public private(set) var script = FlowScript()

  /// A credential without any shape of its own.
  private mutating func credential(_ name: String) -> String {
    let text = "plant3d\(name)\(credentials.count)Zq"
    credentials.append(text)
    return text
  }

  /// A token in the shape of GitHub's.
  private mutating func token() -> String {
    let tail = "\(tokens.count)"
    let text =
      "ghp_" + String(repeating: "k", count: 36 - tail.utf8.count - 3) + "Q7z" + tail
    tokens.append(text)
    return text
  }

  /// Writes the conversation.
  public init() {
    authorize()
    let session = credential("sid-") + "-0123456789abcdef"
    credentials.append(session)
    let bearer = credential("bearer")
    var fields = [
      "Authorization: Bearer \(bearer)",
      "Cookie: a=\(credential("cookie")); b=\(credential("cookie"))",
      "X-API-Key: \(credential("key"))", "X-Auth-Key: \(credential("key"))",
      "Proxy-Authorization: Basic \(credential("proxy"))", "X-Acme-Secret: \(credential("header"))",
    ].joined(separator: "\r\n")
    fields += "\r\nReferer: https://u:\(credential("user"))@h/cb?code=\(credential("code"))&x=1"
    converse(session: session, bearer: bearer, fields)
    refuse(bearer: bearer)
    legacy()
  }

  /// OAuth as MCP uses it: form-encoded and JSON, requests and answers.
  private mutating func authorize() {
    let flow = script.open()
    let target =
      "/authorize?response_type=code&client_id=app&state=\(credential("state"))"
      + "&code_challenge=abc&client_secret=\(credential("secret"))"
      + "&redirect_uri=http%3A%2F%2Fl%2Fcb%3Fcode%3D\(credential("nested"))"
    script.send(flow, .c2s, "GET \(target) HTTP/1.1\r\nHost: h:80\r\n\r\n")
    script.send(
      flow, .s2c,
      "HTTP/1.1 302 Found\r\nLocation: http://l/cb?code=\(credential("code"))&state=\(credential("state"))#access_token=\(credential("fragment"))\r\nContent-Length: 0\r\n\r\n"
    )
    for (path, type, body) in [
      (
        "/token", "application/x-www-form-urlencoded",
        "grant_type=authorization_code&code=\(credential("code"))&code_verifier=\(credential("verifier"))&client_secret=\(credential("secret"))&refresh_token=\(credential("refresh"))"
      ),
      ("/revoke", "application/x-www-form-urlencoded", "token=\(credential("revoked"))"),
      (
        "/register", "application/json",
        #"{"client_name":"a","software_statement":"\#(credential("statement"))"}"#
      ),
      ("/login", "application/json", #"{"user":"a","password":"\#(credential("password"))"}"#),
    ] {
      script.send(
        flow, .c2s,
        "POST \(path) HTTP/1.1\r\nHost: h:80\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
      )
      script.pause(5)
      script.json(
        flow,
        #"{"access_token":"\#(credential("access"))","refresh_token":"\#(credential("refresh"))","id_token":"\#(credential("identity"))","client_secret":"\#(credential("secret"))","registration_access_token":"\#(credential("registration"))","device_code":"\#(credential("device"))"}"#
      )
    }
    script.close(flow)
  }

  /// A session with tokens in params, results, errors, notifications, headers, split over chunks and lines of data.
  private mutating func converse(session: String, bearer: String, _ fields: String) {
    let flow = script.open()
    let id = "Mcp-Session-Id: \(session)"
    script.pause(50)
    script.post(
      flow,
      #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"c","version":"1"},"_meta":{"accessToken":"\#(credential("meta"))"}}}"#,
      fields)
    script.pause(5)
    script.json(
      flow, #"{"jsonrpc":"2.0","id":0,"result":{"_meta":{"x/api_key":"\#(credential("meta"))"}}}"#,
      "Mcp-Session-Id: \(session)", "Set-Cookie: s=\(credential("cookie")); Path=/")
    let (first, second, third) = (token(), token(), token())
    script.pause(50)
    script.post(
      flow,
      #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":"\#(first)","\#(second)":1,"text":"say \#(third) with \#(bearer)","ssn":"078-05-1120"}}}"#,
      id, "Authorization: Bearer \(bearer)", "Mcp-Param-A: \(first)", "Mcp-Name: t",
      "X-Note: see \(token())")
    script.pause(5)
    script.stream(flow)
    let split = token()
    let event =
      "id: \(session)_1\r\nevent: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\r\ndata: \"params\":{\"data\":\"\(split)\"}}\r\n\r\n"
    let bytes = Array(event.utf8)
    for start in stride(from: 0, to: bytes.count, by: 7) {
      let piece = bytes[start..<min(start + 7, bytes.count)]
      script.chunk(flow, String(decoding: piece, as: UTF8.self))
    }
    let inner = #"{\"k\": \"\#(token())\", \"db\": \"postgres://u:\#(token())@h/d\"}"#
    script.event(
      flow,
      #"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"\#(inner)"},{"type":"text","text":"order ord-778812 for \#(token())\\u0020and more"}],"ssn":"078-05-1120","structuredContent":{"order":"ord-778812"}}}"#
    )
    script.lastChunk(flow)
    script.pause(50)
    script.post(
      flow,
      #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t","arguments":{"order":"ord-778812","note":"ssn 078-05-1120","a":"\#(split)"}}}"#,
      id)
    script.pause(5)
    script.json(
      flow,
      #"{"jsonrpc":"2.0","id":2,"error":{"code":-1,"message":"bad \#(token())","data":{"password":"\#(token())"}}}"#
    )
    script.send(
      flow, .c2s,
      "GET /mcp HTTP/1.1\r\nHost: h:80\r\nAccept: text/event-stream\r\n\(id)\r\nLast-Event-ID: \(session)_1\r\n\r\n"
    )
    script.pause(5)
    script.stream(flow)
    script.event(
      flow,
      #"{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"message":"\#(token())"}}"#,
      before: "id: \(session)_2\r\n")
    let back = script.open()
    script.pause(50)
    script.post(
      back, #"{"jsonrpc":"2.0","id":9,"result":{"action":"accept","content":{"k":"\#(token())"}}}"#,
      id)
    script.send(back, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    script.request(back, "DELETE", id, "Authorization: Bearer \(bearer)")
    script.send(back, .s2c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    script.lastChunk(flow)
    script.close(flow)
    script.close(back)
  }

  /// Answers that are no message: JSON, a form, text, what is no UTF-8, cut in the middle.
  private mutating func refuse(bearer: String) {
    for (type, body) in [
      (
        "application/json",
        #"{"error":"invalid_token","access_token":"\#(credential("access"))","debug":"Bearer \#(credential("debug"))"}"#
      ),
      (
        "application/x-www-form-urlencoded",
        "error=x&refresh_token=\(credential("refresh"))&assertion=\(credential("assertion"))"
      ),
      ("text/html", "<p>client_secret: \(credential("secret"))</p> \u{fffd}"),
      ("text/plain", "\u{1}\u{2} token=\(credential("raw"))"),
    ] {
      let flow = script.open()
      script.pause(50)
      script.post(
        flow, #"{"jsonrpc":"2.0","id":5,"method":"ping"}"#, "Authorization: Bearer \(bearer)")
      var bytes = Array(body.utf8)
      if type == "text/plain" { bytes.insert(0xff, at: 0) }
      script.send(
        flow, .s2c,
        "HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer realm=\"x\"\r\nContent-Type: \(type)\r\nContent-Length: \(bytes.count)\r\n\r\n"
      )
      script.send(flow, .s2c, bytes)
      script.close(flow)
    }
    // Cut in the middle of a token: half of it is no shape any more.
    let flow = script.open()
    script.post(flow, #"{"jsonrpc":"2.0","id":6,"method":"ping"}"#)
    let half = "halfatokenthatgoeson"
    credentials.append(half)
    script.send(
      flow, .s2c,
      "HTTP/1.1 500 X\r\nContent-Type: text/plain\r\nContent-Length: 500\r\n\r\nfailed with sk-\(half)"
    )
    script.close(flow)
  }

  /// HTTP+SSE: the endpoint event's URL is the session.
  private mutating func legacy() {
    let (stream, flow) = (script.open(), script.open())
    let target = "/messages/?session_id=\(credential("endpoint"))"
    script.send(
      stream, .c2s, "GET /sse HTTP/1.1\r\nHost: h:80\r\nAccept: text/event-stream\r\n\r\n")
    script.stream(stream)
    script.chunk(stream, "event: endpoint\r\ndata: \(target)\r\n\r\n")
    let body = #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#
    script.send(
      flow, .c2s,
      "POST \(target) HTTP/1.1\r\nHost: h:80\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    )
    script.send(flow, .s2c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    script.event(stream, #"{"jsonrpc":"2.0","id":0,"result":{}}"#)
    script.lastChunk(stream)
    script.close(stream)
    script.close(flow)
  }
}
