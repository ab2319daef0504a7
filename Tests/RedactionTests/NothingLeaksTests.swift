import Basics
import Dissection
import NIOCore
import Redaction
import TestKit
import Testing
import Trace

struct `Planted secrets` {
  private let planted = PlantedSecrets()
  private let key = RedactionKey(bytes: Array(repeating: 7, count: 32))

  private func options(
    _ rules: String..., payloads: HeaderLine.Payloads = .full
  ) throws -> DissectionOptions {
    var options = DissectionOptions(redactor: Redactor(key: key))
    options.rules = try RedactionRule.rules(rules)
    options.payloads = payloads
    options.exchanges = true
    options.bodyLimit = 1 << 20
    return options
  }

  /// What a trace says, with what it says in base64.
  private func text(_ events: [TraceEvent]) -> String {
    events.map { event in
      var text = event.line.text
      if case .response(let line) = event, let raw = line.raw.flatMap({ Base64.decode($0) }) {
        text += String(buffer: raw)
      }
      return text + "\n"
    }.joined()
  }

  private func expectNone(_ secrets: [String], in text: String) {
    for secret in secrets where text.contains(secret) {
      let line = text.split(separator: "\n").first { $0.contains(secret) } ?? ""
      Issue.record("\(secret) is in \(line.prefix(2000))")
    }
  }

  @Test func `that are credentials reach no trace`() throws {
    let made = Dissected(planted.script.events, options: try options())
    #expect(made.balances)
    #expect(made.sessions.count == 2)
    expectNone(planted.credentials.filter { !$0.contains("bearer") }, in: text(made.events))
    // One stands in an argument too, which is a payload.
    let bearer = try #require(planted.credentials.first { $0.contains("bearer") })
    let lines = text(made.events).split(separator: "\n").filter { $0.contains(bearer) }
    #expect(lines.count == 1 && lines.allSatisfy { $0.contains("say ghp_") })
  }

  @Test(arguments: [HeaderLine.Payloads.full, .shape, .none])
  func `that are tokens reach none with the rule secrets`(payloads: HeaderLine.Payloads) throws {
    let made = Dissected(
      planted.script.events, options: try options("secrets", payloads: payloads))
    #expect(made.balances)
    expectNone(planted.credentials + planted.tokens, in: text(made.events))
    let uses = made.requests.flatMap(\.valueUses)
    #expect(uses.contains { $0.at == "/arguments/order" && $0.path == "/structuredContent/order" })
  }

  @Test func `that paths name go, and are known where they come again`() throws {
    let made = Dissected(
      planted.script.events,
      options: try options("/params/arguments/ssn", "/result/**/ssn", "secrets"))
    expectNone(["078-05-1120"], in: text(made.events))
    let surrogate = Redactor(key: key).surrogate("078-05-1120")
    #expect(text(made.events).split(separator: surrogate).count == 4)
    let call = try #require(made.requests.first { $0.method == "tools/call" })
    #expect(call.redacted?.contains("/arguments/ssn") == true)
    #expect(call.redacted?.contains("/name") == false)
  }

  @Test func `keep equal values equal over headers, params and results`() throws {
    let made = Dissected(planted.script.events, options: try options("secrets"))
    let calls = made.requests.filter { $0.method == "tools/call" }
    let argument = calls[0].params?.member("arguments")?.member("a")?.string
    #expect(argument != nil && argument == calls[0].headers?.first("mcp-param-a"))
    let told = made.notifications.first { $0.dir == .s2c }?.params?.member("data")?.string
    #expect(told != nil && told == calls[1].params?.member("arguments")?.member("a")?.string)
    let session = try #require(made.sessions.first?.key?.value)
    #expect(calls[0].headers?.first("mcp-session-id") == session)
    #expect(made.notifications.first { $0.dir == .s2c }?.event?.id == "\(session)_1")
    #expect(made.http.first { $0.role == .streamOpen }?.lastEventID == "\(session)_1")
  }

  @Test func `go from a trace that has them`() throws {
    let open = Dissected(planted.script.events, options: try kept())
    let rules = try RedactionRule.rules(["secrets", "/**/ssn"])
    let redactor = TraceRedactor(key: key, rules: rules)
    var header = HeaderLine(recorder: "r", source: .pcap, t0: FlowScript.start)
    header.redaction = .object([.init("mode", .string("off"))])
    let unknown = try #require(
      RawJSON(
        validating: ByteBuffer(string: #"{"type":"later","x":{"note":"\#(planted.tokens[0])"}}"#)))
    let events = [.header(header)] + open.events + [.unknown(type: "later", line: unknown)]
    let shown = events.map(redactor.redacted)
    expectNone(planted.credentials + planted.tokens + ["078-05-1120"], in: text(shown))
    #expect(shown.map(\.type) == events.map(\.type))
    // The same as a recorder makes, but for what it learns of a value before it is told.
    let recorded = Dissected(planted.script.events, options: try options("secrets", "/**/ssn"))
    var same = 0
    for (a, b) in zip(shown.dropFirst(), recorded.events) where a == b { same += 1 }
    #expect(shown.count - 2 == recorded.events.count && same >= recorded.events.count - 2)
  }

  @Test func `do not change again under the same key`() throws {
    let recorded = Dissected(planted.script.events, options: try options("secrets"))
    var header = HeaderLine(recorder: "r", source: .pcap, t0: FlowScript.start)
    header.redaction = try options("secrets").redaction
    let redactor = TraceRedactor(
      key: key, rules: try RedactionRule.rules(["/params/arguments/order"]))
    let shown = ([.header(header)] + recorded.events).map(redactor.redacted)
    guard case .header(let line) = shown[0] else { return }
    #expect(
      line.redaction?.text
        == #"{"mode":"payloads","key_id":"\#(key.id)","rules":["headers","query","mcp-session-id","bodies","_meta","/params/arguments/order","secrets"]}"#
    )
    let changed = zip(shown.dropFirst(), recorded.events).filter { $0 != $1 }
    #expect(changed.count == 1, "\(changed.map { $0.0.line.text + "\n" + $0.1.line.text })")
    guard case .request(let call) = changed[0].0 else { return }
    #expect(call.redacted?.contains("/arguments/order") == true)
    #expect(call.valueUses.contains { $0.at == "/arguments/order" })
  }

  private func kept() throws -> DissectionOptions {
    var options = try options()
    options.redactor = nil
    options.rules = []
    return options
  }

  @Test
  func `leave a use whose surroundings hide nothing, and take the others' from what is shown`()
    throws
  {
    var script = FlowScript()
    let flow = script.open()
    let token = "ghp_" + String(repeating: "a1B2", count: 9)
    script.pause(50)
    script.post(
      flow,
      #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#)
    script.json(flow, #"{"jsonrpc":"2.0","id":0,"result":{}}"#, "Mcp-Session-Id: 5e55")
    script.pause(50)
    script.post(
      flow, #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}"#,
      "Mcp-Session-Id: 5e55")
    script.pause(5)
    script.json(
      flow,
      #"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"\#(token) ord-99123 ok"}]}}"#
    )
    script.pause(50)
    script.post(
      flow,
      #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t","arguments":{"id":"ord-99123"}}}"#,
      "Mcp-Session-Id: 5e55")
    script.json(flow, #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
    script.close(flow)
    let made = Dissected(script.events, options: try options("secrets"))
    let use = try #require(made.requests.last?.valueUses.first)
    let within = try #require(use.within)
    for length in 5...token.utf8.count {
      #expect(!within.before.contains(token.suffix(length)))
    }
    let text = made.responses.first { $0.re == 3 }?.result?.member("content")?.value[0]?["text"]?
      .string
    #expect(text?.contains(within.before + "ord-99123" + within.after) == true)
    let open = Dissected(script.events, options: try kept())
    let redactor = TraceRedactor(key: key, rules: [.secrets])
    for event in open.events {
      guard case .request(let line) = redactor.redacted(event) else { continue }
      for use in line.valueUses { #expect(use.within?.before.contains("a1B2") != true) }
    }
  }
}
