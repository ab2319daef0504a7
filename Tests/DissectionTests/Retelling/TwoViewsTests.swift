import Basics
import Dissection
import NIOCore
import Redaction
import TestKit
import Testing
import Trace

private let initialize =
  #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"c","version":"1"}}}"#
private let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

private func call(_ id: Int, _ arguments: String = "{}") -> String {
  #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"find","arguments":\#(arguments)}}"#
}

private func result(_ id: Int, _ content: String = "{}") -> String {
  #"{"jsonrpc":"2.0","id":\#(id),"result":\#(content)}"#
}

/// The trace of a script.
private func trace(
  _ script: FlowScript, change: (inout HeaderLine) -> Void = { _ in }
) -> [TraceEvent] {
  let dissected = Dissected(script.events)
  var header = HeaderLine(recorder: "record 0.1.0", source: .proxy, t0: FlowScript.start)
  change(&header)
  return [.header(header)] + dissected.events + [.footer(dissected.footer)]
}

struct `Two views` {
  @Test func `of a session with an id are one session`() throws {
    var (a, b) = (FlowScript(), FlowScript())
    let (x, y) = (a.open(), b.open())
    a.post(x, initialize)
    a.pause(10)
    a.json(x, result(0), "Mcp-Session-Id: id-1")
    b.pause(20)
    b.post(y, initialized, "Mcp-Session-Id: id-1")
    b.pause(5)
    b.json(y, "", status: 202)
    b.pause(100)
    b.post(y, call(1), "Mcp-Session-Id: id-1")
    b.pause(10)
    b.json(y, result(1, #"{"structuredContent":{"case":"case-11aa22bb"}}"#))
    a.pause(200)
    a.post(x, call(2, #"{"case":"case-11aa22bb"}"#), "Mcp-Session-Id: id-1")
    a.pause(10)
    a.json(x, result(2))
    a.close(x)
    b.pause(200)
    b.close(y)

    let (one, two) = (trace(a), trace(b))
    let retold = try Retold(one, two)
    #expect(Set(retold.requests.map(\.session)) == ["s1"])
    let last = try #require(retold.requests.last)
    #expect(
      (last.n, last.after, last.afterBy, last.think, last.turn) == (6, [5], .uses, 75_000_000, 2))
    #expect(last.valueUses.map(\.from) == [5])
    #expect(retold.requests.map(\.x) == [1, 4, 2])
    #expect(retold.requests.map(\.conn) == [1, 2, 1])
    #expect(retold.ends.map(\.how) == [.closed])
    #expect(retold.clocks.map(\.offset) == [0, 0])
  }

  @Test func `of an agent without an id are one agent`() throws {
    var (a, b) = (FlowScript(), FlowScript())
    let (x, y) = (a.open(), b.open())
    for id in 0..<10 {
      if id % 2 == 0 {
        a.post(x, id == 0 ? initialize : call(id))
        a.pause(10)
        a.json(x, result(id))
      } else {
        b.post(y, call(id))
        b.pause(10)
        b.json(y, result(id))
      }
      a.pause(id % 2 == 0 ? 90 : 100)
      b.pause(id % 2 == 0 ? 100 : 90)
    }
    a.close(x)
    b.close(y)
    let retold = try Retold(trace(a), trace(b))
    #expect(Set(retold.requests.map(\.session)).count == 1)
    #expect(retold.requests.map(\.turn) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(retold.responses.allSatisfy { $0.outcome == .ok })
  }

  @Test func `of an agent that renews its token are one agent, although tokens are surrogates`()
    throws
  {
    func token(_ expiry: Int) -> String {
      let claims = #"{"iss":"i","sub":"u","client_id":"c","exp":\#(expiry)}"#
      return
        "Authorization: Bearer eyJhbGciOiJub25lIn0.\(Base64.encode(ByteBuffer(string: claims))).c2ln"
    }
    var options = DissectionOptions(redactor: Redactor(key: RedactionKey(bytes: [7])))
    options.siblingGap = 0
    var (a, b) = (FlowScript(), FlowScript())
    let (x, y) = (a.open(), b.open())
    a.post(x, initialize, token(1))
    a.pause(10)
    a.json(x, result(0))
    b.pause(100)
    b.post(y, call(1), token(2))
    b.pause(10)
    b.json(y, result(1))
    b.pause(100)
    b.post(y, call(2), token(3))
    b.pause(10)
    b.json(y, result(2))
    a.pause(300)
    a.post(x, call(3), token(4))
    a.pause(10)
    a.json(x, result(3))
    let header = HeaderLine(recorder: "record 0.1.0", source: .proxy, t0: FlowScript.start)
    let views = [a, b].map { script in
      let dissected = Dissected(script.events, options: options)
      return [.header(header)] + dissected.events + [.footer(dissected.footer)]
    }
    let retold = try Retold(views[0], views[1])
    #expect(retold.requests.map(\.session) == ["s1", "s1", "s1", "s1"])
    let principals = (views[0] + retold.events).compactMap { event in
      if case .session(let line) = event { line.principal } else { nil }
    }
    #expect(Set(principals).count == 1)
    #expect(!retold.events.contains { $0.line.text.contains("eyJ") })
  }

  @Test func `keep losses, and close the balance`() throws {
    var (a, b) = (FlowScript(), FlowScript())
    let (x, y) = (a.open(), b.open())
    a.post(x, call(1))
    a.lose(x, .s2c, 70)
    a.close(x)
    b.send(y, .c2s, "what is this, then?\r\nit is nothing at all\r\n\r\n")
    b.close(y)
    let (one, two) = (trace(a), trace(b))
    let retold = try Retold(one, two)
    let losses = retold.events.compactMap { if case .loss(let line) = $0 { line } else { nil } }
    #expect(losses.map(\.conn) == [1, 2])
    let lost = retold.footer.loss.values.reduce(0) { $0 + $1.bytes }
    #expect(retold.footer.bytesIn == retold.footer.bytesExplained + lost)
    #expect(lost >= 70)
  }
}

struct `A view` {
  @Test(arguments: [HeaderLine.Payloads.none, .shape])
  func `without payloads keeps outcomes, tools, uses and sizes`(
    payloads: HeaderLine.Payloads
  ) throws {
    var script = FlowScript()
    let flow = script.open()
    script.post(flow, call(1, #"{"q":"secret"}"#))
    script.pause(10)
    script.json(flow, result(1, #"{"structuredContent":{"case":"case-11aa22bb"}}"#))
    script.pause(100)
    script.post(flow, call(2, #"{"case":"case-11aa22bb"}"#))
    script.pause(10)
    script.json(flow, result(2, #"{"isError":true}"#))
    script.pause(100)
    script.post(flow, call(3))
    script.pause(10)
    script.json(flow, #"{"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"no"}}"#)
    script.close(flow)
    var options = DissectionOptions(redactor: nil)
    options.payloads = payloads
    let whole = Dissected(script.events, options: options)
    var header = HeaderLine(recorder: "record 0.1.0", source: .proxy, t0: FlowScript.start)
    header.payloads = payloads
    let retold = try Retold([.header(header)] + whole.events + [.footer(whole.footer)])
    #expect(whole.requests.map(\.valueUses.count) == [0, 1, 0])
    #expect(retold.requests == whole.requests)
    #expect(retold.responses == whole.responses)
  }

  @Test func `keeps keys of later versions`() throws {
    var script = FlowScript()
    let flow = script.open()
    script.post(flow, call(1))
    script.pause(10)
    script.json(flow, result(1))
    script.close(flow)
    let later = [ExtraMember(key: "later", value: RawJSON(.int(7)))]
    let note = TraceEvent.unknown(
      type: "note", line: RawJSON(.object([.init("type", .string("note"))])))
    let events = trace(script).map { event in
      switch event {
      case .request(var line):
        line.extra = later
        return TraceEvent.request(line)
      case .response(var line):
        line.extra = later
        return TraceEvent.response(line)
      default: return event
      }
    }
    let retold = try Retold(events + [note])
    #expect(retold.requests.map(\.extra) == [later])
    #expect(retold.responses.map(\.extra) == [later])
    #expect(retold.events.contains(note))
  }

  @Test func `of a recorder that was stopped hard ends what was open`() throws {
    var script = FlowScript()
    let flow = script.open()
    script.post(flow, call(1))
    script.pause(10)
    script.json(flow, result(1))
    script.pause(100)
    script.post(flow, call(2))
    let whole = trace(script).filter {
      switch $0 {
      case .footer, .end: false
      case .response(let line): line.outcome == .ok
      case .connection(let line): line.closed == nil
      default: true
      }
    }
    let retold = try Retold(whole)
    #expect(retold.responses.map(\.outcome) == [.ok, .unanswered])
    #expect(retold.ends.map(\.how) == [.captureEnd])
  }

  @Test func `whose messages name no exchange is refused`() throws {
    var script = FlowScript()
    let flow = script.open()
    script.post(flow, call(1))
    let events = trace(script).map { event in
      guard case .request(var line) = event else { return event }
      line.x = nil
      return TraceEvent.request(line)
    }
    #expect(throws: RetellingError.noExchange(line: 3)) { try Retold(events) }
  }
}

struct `Headers` {
  private func header(_ key: String?, _ payloads: HeaderLine.Payloads = .full) -> HeaderLine {
    var header = HeaderLine(recorder: "r", source: .proxy, t0: Timestamp(nanoseconds: 0))
    header.payloads = payloads
    header.redaction = .object(
      key.map { [.init("mode", .string("credentials")), .init("key_id", .string($0))] }
        ?? [.init("mode", .string("off"))])
    return header
  }

  @Test func `say when sessions cannot be inferred anew`() {
    #expect(JoinedHeader.obstacle([header("a"), header("a")]) == nil)
    #expect(JoinedHeader.obstacle([header(nil), header(nil)]) == nil)
    #expect(JoinedHeader.obstacle([header("a"), header("b")])?.contains("--redaction-key") == true)
    #expect(JoinedHeader.obstacle([header("a"), header(nil)])?.contains("--redaction-key") == true)
    #expect(
      JoinedHeader.obstacle([header("a"), header("a", .shape)])?.contains("--payloads") == true)
    let mixed = JoinedHeader.of(
      [header("a"), header("b")], files: ["x", "y"], recorder: "trace 1", offsets: [])
    #expect(JoinedHeader.obstacle([mixed])?.contains("--redaction-key") == true)
    var stdio = header("a")
    stdio.source = .stdio
    #expect(JoinedHeader.obstacle([stdio])?.contains("stdio") == true)
  }

  @Test func `become one`() {
    var late = header("a", .shape)
    late.t0 = Timestamp(nanoseconds: 5)
    let joined = JoinedHeader.of(
      [late, header("a")], files: ["x", "y"], recorder: "trace 1", offsets: [])
    #expect(joined.t0 == Timestamp(nanoseconds: 0))
    #expect(joined.inputs == ["x", "y"])
    #expect(joined.payloads == .shape)
    #expect(joined.redaction == header("a").redaction)
  }
}

struct `Joined lines` {
  @Test func `are renamed apart and stay as they are`() throws {
    var script = FlowScript()
    let flow = script.open()
    script.post(flow, initialize)
    script.pause(10)
    script.json(flow, "no", status: 503)
    script.post(flow, call(1))
    script.pause(10)
    script.json(flow, result(1))
    script.close(flow)
    let one = trace(script)
    let two = trace(script) { $0.t0 = FlowScript.start + 1_000 }
    guard case .header(let first) = one[0], case .header(let second) = two[0] else {
      return #expect(Bool(false))
    }
    var joined = JoinedLines([first, second])
    let own = one.compactMap { joined.joined($0) }
    joined.next()
    let others = two.compactMap { joined.joined($0) }
    joined.finish()
    #expect(own.map(\.line) == one.dropFirst().dropLast().map(\.line))
    let requests = (own + others).compactMap { event in
      if case .request(let line) = event { line } else { nil }
    }
    #expect(requests.map(\.session) == [nil, "s1", nil, "s2"])
    #expect(requests.map(\.n) == [1, 1, 3, 1])
    #expect(requests.map(\.x) == [1, 2, 3, 4])
    #expect(requests.map(\.conn) == [1, 1, 2, 2])
    #expect(requests[2].t == requests[0].t + 1_000)
    guard case .footer(let footer) = one.last else { return #expect(Bool(false)) }
    #expect(joined.footer.bytesIn == 2 * footer.bytesIn)
  }
}
