import Basics
import Dissection
import Redaction
import TestKit
import Testing
import Trace

struct `Redaction` {
  private let redactor = Redactor(key: RedactionKey(bytes: Array(repeating: 7, count: 32)))

  @Test func `keeps length, shape and scheme, and equal values equal`() {
    let fields: HeaderFields = [
      HeaderField("Authorization", "Bearer aB3-xyz_9Q"),
      HeaderField("Cookie", "sid=0011aabb; x=Yz"),
      HeaderField("Accept", "application/json"),
    ]
    let memo = RedactionMemo(redactor)
    let hidden = memo.fields(fields)
    #expect(hidden[0].value.hasPrefix("Bearer "))
    #expect(hidden[0].value.utf8.count == fields[0].value.utf8.count)
    #expect(hidden[0].value != fields[0].value)
    #expect(hidden[1].value.hasPrefix("sid=") && hidden[1].value.contains("; x="))
    #expect(!hidden[1].value.contains("0011aabb"))
    #expect(hidden[2] == fields[2])
    #expect(memo.fields(fields) == hidden)
    let hex = redactor.surrogate("467cf8b2628c481eb71d43f0f2fb066a")
    #expect(hex.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) })
  }

  @Test func `differs with the key`() {
    let other = Redactor(key: RedactionKey(bytes: Array(repeating: 8, count: 32)))
    #expect(other.surrogate("secret-value") != redactor.surrogate("secret-value"))
  }

  @Test func `replaces credentials in queries only where they are`() {
    let target = redactor.target("/cb?code=abcdef123&page=2&access_token=tok")
    #expect(target.hasPrefix("/cb?code="))
    #expect(target.contains("&page=2&access_token="))
    #expect(!target.contains("abcdef123"))
    #expect(!target.contains("=tok"))
  }

  @Test func `replaces credentials in addresses that are values, and keeps encodings`() {
    let target = redactor.target(
      "/a?redirect_uri=http%3A%2F%2Fl%2Fcb%3Fcode%3Dabc%2Fdef%26x%3D1&y=2")
    #expect(target.hasPrefix("/a?redirect_uri=http%3A%2F%2Fl%2Fcb%3Fcode%3D"))
    #expect(target.hasSuffix("%26x%3D1&y=2") && !target.contains("abc") && !target.contains("def"))
    let plain = redactor.surrogate("abc/def")
    #expect(target.contains(plain.replacing("/", with: "%2F")))
    let name = redactor.target("/a?access%5Ftoken=tok123&client_id=tok123")
    #expect(name == "/a?access%5Ftoken=\(redactor.surrogate("tok123"))&client_id=tok123")
    #expect(redactor.target("/a?b=1&c") == "/a?b=1&c")
    #expect(
      redactor.endpoint("/messages/abcd1234") == "/messages/" + redactor.surrogate("abcd1234"))
  }

  @Test func `lets no planted secret into a trace`() {
    let secrets = ["s3cr3tbearer", "s3cr3tcookie", "s3cr3tquery", "5e55-s3cr3t-id", "s3cr3tkey"]
    var script = FlowScript()
    let a = script.open()
    let body =
      #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#
    script.send(
      a, .c2s,
      "POST /mcp?api_key=\(secrets[2]) HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(secrets[0])\r\n"
        + "Cookie: a=\(secrets[1])\r\nX-API-Key: \(secrets[4])\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    )
    script.json(
      a, #"{"jsonrpc":"2.0","id":0,"result":{}}"#, "Mcp-Session-Id: \(secrets[3])",
      "Set-Cookie: a=\(secrets[1]); Path=/")
    script.request(
      a, "DELETE", "Mcp-Session-Id: \(secrets[3])", "Authorization: Bearer \(secrets[0])")
    script.send(a, .s2c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    script.close(a)
    var options = DissectionOptions(redactor: redactor)
    options.exchanges = true
    let text = Dissected(script.events, options: options).events.map(\.line.text).joined()
    #expect(!text.contains("aaaaaa"))
    for secret in secrets { #expect(!text.contains(secret), "\(secret) is in the trace") }
  }
}
