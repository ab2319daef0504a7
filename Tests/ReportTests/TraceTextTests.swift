import Analysis
import Basics
import Report
import TestKit
import Testing
import Trace

struct `Session timeline` {
  @Test func `of the example`() throws {
    let contents = try TraceContents(path: Fixture.path("example.mcptrace"))
    let session = try #require(contents.session("s1"))
    #expect(
      SessionTimeline.text(session, limit: 100) == """
        s1  streamable-http  127.0.0.1:8080/mcp  2025-11-25  planner 2.1 → tickets 1
            known by mcp-session-id 8f2c…gate
               +0.000     n1 · initialize                         ok                 770 µs  sdk
               +0.001     n3 → notifications/initialized
          turn 1 after 2.4 s of thought · waits for n2 (demanded by the protocol)
               +2.400     n4   search                             ok                  31 ms
          turn 2 after 4.6 s of thought · waits for n5 (uses a value of it)
               +7.031     n6 ┌ read                               ok                  15 ms
                               /arguments/id ← n5 /content/0/text#/ids/0
               +7.033     n7 └ read                               tool_error          57 ms
                               /arguments/id ← n5 /content/0/text#/ids/1
               +7.050     n8 ← notifications/progress                                        of n7
              +15.000    n11 ~ DELETE /mcp                        HTTP 200           400 µs
              +15.000          end: deleted

        """)
  }

  @Test func `marks repetitions, streams, questions and what was inferred`() {
    var script = TraceScript("s4")
    guard case .session(var line) = script.events[0] else { return }
    line.key = SessionKey(
      by: .credential, value: "Bearer abc", evidence: ["credential", "id-chain"], confidence: 0.75)
    line.start = .cut
    script.events[0] = .session(line)
    let refused = script.call("pay", at: 0, turn: 1)
    script.answer(refused, at: 5, .httpError)
    script.call("pay", at: 10, turn: 1) { $0.retryOf = refused }
    for t in [20, 21, 22] as [Int64] {
      script.next { session, n, _ in
        .notification(
          NotificationLine(
            session: session, n: n, t: t * 1_000_000, dir: .s2c, method: "notifications/progress"))
      }
    }
    script.next { session, n, _ in
      .request(
        RequestLine(
          session: session, n: n, t: 30_000_000, dir: .s2c, id: RawJSON(.int(1)),
          method: "sampling/createMessage"))
    }
    for (role, t) in [(.streamOpen, 40), (.streamClose, 2040)] as [(HTTPLine.Role, Int64)] {
      script.next { session, n, _ in
        var line = HTTPLine(
          x: 9, conn: 1, t: t * 1_000_000, method: "GET", target: "/mcp", role: role)
        line.session = session
        line.n = n
        line.status = 200
        line.how = role == .streamClose ? "fin" : nil
        return .http(line)
      }
    }
    let contents = TraceContents(events: script.events)
    #expect(
      contents.sessions.map { SessionTimeline.text($0, limit: 100) } == [
        """
        s4  streamable-http
            inferred from credential Bear… abc, confidence 0.75 (credential, id-chain); began before the re…
          turn 1
               +0.000     n1 ┌ pay                                http_error         5.0 ms  HTTP 401
               +0.010     n3 └ pay                                no answer                  repeats n1
               +0.020     n4 ← notifications/progress × 3
               +0.030     n7 ← sampling/createMessage             no answer                  asked by the server
               +0.040     n8 ~ GET stream                         HTTP 200            2.0 s  fin
               +2.040          end: not recorded

        """
      ])
  }

  @Test func `stops at the limit and says so`() {
    var script = TraceScript()
    var after: [Int] = []
    for turn in 1...5 {
      let n = script.call("t\(turn)", at: Int64(turn) * 1000, turn: turn, after: after)
      after = [script.answer(n, at: Int64(turn) * 1000 + 1)]
    }
    let contents = TraceContents(events: script.events)
    let text = contents.sessions.map { SessionTimeline.text($0, limit: 2) }.joined()
    #expect(text.contains("t2  "))
    #expect(!text.contains("t3  "))
    #expect(text.contains("    … 3 more (--limit)\n"))
  }

  @Test func `shows what belongs to no session`() {
    let request = RequestLine(
      session: nil, n: 1, t: 5, dir: .c2s, id: RawJSON(.int(1)), method: "initialize")
    let contents = TraceContents(events: [.request(request)])
    #expect(
      SessionTimeline.text(outside: contents.outside, limit: 9) == """
        without a session
               +0.000     n1 · initialize                         no answer

        """)
    #expect(SessionTimeline.text(outside: SessionMessages(), limit: 9) == "")
  }
}

struct `Session table` {
  @Test func `of the example`() throws {
    let contents = try TraceContents(path: Fixture.path("example.mcptrace"))
    #expect(
      SessionTable.text(contents.sessions) == """
        name  via   revision    client       known by                  conf  end      turns  calls  ok/err
        s1    http  2025-11-25  planner 2.1  mcp-session-id 8f2c…gate     1  deleted      2      3     2/1

        """)
  }
}

struct `Trace heading` {
  @Test func `names source, payloads and losses`() {
    var header = HeaderLine(
      recorder: "record 0.1.0", source: .pcap, t0: Timestamp(nanoseconds: 1_500_000_000))
    header.payloads = .shape
    let loss = LossLine(t: 0, kind: "tcp.gap", bytes: 12)
    let contents = TraceContents(events: [.header(header), .loss(loss)])
    #expect(
      TraceHeading.text(contents, file: "a.mcptrace") == """
        a.mcptrace: pcap recording from 1970-01-01 00:00:01 UTC, by record 0.1.0, payloads shape, \
        not closed by its recorder
        not understood or not kept: tcp.gap 1 (12 bytes)


        """)
  }
}

struct `Validation text` {
  @Test func `is one line for a valid trace`() throws {
    let report = try TraceValidator.validate(path: Fixture.path("example.mcptrace"))
    #expect(ValidationText.text(report, file: "e") == "e: ok, 17 lines, 1 session\n")
  }

  @Test func `is a line for every error, and says how many more there are`() {
    var validator = TraceValidator(limit: 1)
    for line in 2...4 { validator.reject(TraceFormatError(.notJSON, line: line, offset: 0)) }
    let report = validator.finish(lines: 4, tornTail: 0)
    #expect(
      ValidationText.text(report, file: "e") == """
        e: line 2: not a JSON object in UTF-8
        e: 2 more errors

        """)
  }
}

struct `Session flow` {
  @Test func `of the example`() throws {
    let contents = try TraceContents(path: Fixture.path("example.mcptrace"))
    let session = try #require(contents.session("s1"))
    #expect(
      SessionFlow.text(session) == """
        s1  data flow: 2 values from 1 answer
          n4 search → n5
             /content/0/text#/ids/0 → n6 read /arguments/id
             /content/0/text#/ids/1 → n7 read /arguments/id

        """)
  }

  @Test func `shows the text around a part, and says when there is none`() throws {
    var script = TraceScript("s1")
    let first = script.call("open", at: 0, turn: 1)
    let contents = TraceContents(events: script.events)
    #expect(
      SessionFlow.text(try #require(contents.sessions.first))
        == "s1  data flow: 0 values from 0 answers\n")
    script.answer(first, at: 5, .ok)
    script.call("close", at: 10, turn: 2) { request in
      var use = ValueUse(at: "/arguments/id", from: first + 1, path: "/content/0/text")
      use.within = .init(before: "case ", after: ".")
      request.uses = .array([use.json])
    }
    let session = try #require(TraceContents(events: script.events).sessions.first)
    #expect(
      SessionFlow.text(session).hasSuffix(
        "     /content/0/text “case ….” → n\(first + 2) close /arguments/id\n"))
  }
}
