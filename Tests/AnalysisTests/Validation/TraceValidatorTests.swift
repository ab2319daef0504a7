import Analysis
import Basics
import TestKit
import Testing
import Trace

struct `Trace validator` {
  @Test func `accepts the example`() throws {
    let report = try TraceValidator.validate(path: Fixture.path("example.mcptrace"))
    #expect(report.errors == [])
    #expect(report.lines == 17)
    #expect(report.sessions == 1)
    #expect(report.warnings.map(\.reason) == ["conn 2 has no connection line"])
  }

  @Test func `accepts siblings, a repetition, a stream and a question of the server`() {
    #expect(errors(TraceScript.trace(Conversation.script)) == [])
  }

  @Test(arguments: answers + waits + turns + exchanges + footers)
  func `finds a contradiction`(example: Contradiction) {
    var events = TraceScript.trace(Conversation.script)
    for i in events.indices { example.apply(&events[i]) }
    #expect(errors(events) == example.errors)
  }

  static let answers: [Contradiction] = [
    .notification(3, "n twice", ["line 5: n 2 is used in line 4 already"]) { $0.n = 2 },
    .response(
      7, "answer to nothing",
      [
        "line 7: request n 5 has no response line",
        "line 9: re 99 names no request of the session",
      ]
    ) { $0.re = 99 },
    .response(
      7, "two answers",
      [
        "line 7: request n 5 has no response line",
        "line 10: request n 6 has an answer in line 9 already",
      ]
    ) { $0.re = 6 },
    .response(16, "same way", ["line 18: goes the same way as the request n 15 it answers"]) {
      $0.dir = .s2c
      $0.x = nil
    },
    .request(11, "repeats nothing", ["line 13: retry_of 99 names no request of the session"]) {
      $0.retryOf = 99
    },
    .request(11, "resumes nothing", ["line 13: continues 99 names no request of the session"]) {
      $0.continues = 99
    },
    .request(11, "uses nothing", ["line 13: uses: from 99 names no answer of the session"]) {
      $0.uses = JSONValue(parsing: #"[{"at":"/a","from":99,"path":"/b"}]"#)
    },
    .request(11, "uses the future", ["line 13: uses: the answer n 14 came after the request"]) {
      $0.uses = JSONValue(parsing: #"[{"at":"/a","from":14,"path":"/b"}]"#)
    },
    .notification(3, "belongs to nothing", ["line 5: re 99 names no request of the session"]) {
      $0.re = 99
    },
    .response(
      12, "cancelled by nothing",
      ["line 14: cancelled_by 1 names no notification of the session"]
    ) { $0.cancelledBy = 1 },
  ]

  static let waits: [Contradiction] = [
    .request(9, "waits for nothing", ["line 11: after: 99 names no answer of the session"]) {
      $0.after = [7, 8, 99]
    },
    .request(9, "implied by a sibling's", ["line 11: after: 2 is implied by 7"]) {
      $0.after = [2, 7, 8]
    },
    .request(9, "twice", ["line 11: after names an answer twice"]) { $0.after = [7, 8, 8] },
    .request(
      6, "waits for the future",
      [
        "line 8: after: the answer n 7 was complete only later",
        "line 8: turn 1 where 2 follows: after has an answer of turn 1",
        "line 11: after: 7 is implied by 8",
      ]
    ) {
      $0.after = [7]
      $0.think = nil
    },
    .request(
      9, "wrong think",
      ["line 11: think is 7, but t minus the latest done of after is 1800000000"]
    ) { $0.think = 7 },
    .request(13, "think alone", ["line 15: think without after"]) { $0.think = 7 },
    .request(13, "reason alone", ["line 15: after_by without after"]) { $0.afterBy = .order },
    .notification(
      3, "wrong think of a notification",
      ["line 5: think is 1, but t minus the latest done of after is 5000000"]
    ) { $0.think = 1 },
    .http(
      4, "answer to the other side",
      [
        "line 6: after: 16 is not an answer to this side",
        "line 6: after: the answer n 16 was complete only later",
      ]
    ) { $0.after = [16] },
  ]

  static let turns: [Contradiction] = [
    .request(9, "too low", ["line 11: turn 1 where 2 follows: after has an answer of turn 1"]) {
      $0.turn = 1
    },
    .request(9, "too high", ["line 11: turn 3 where 2 follows: after has an answer of turn 1"]) {
      $0.turn = 3
    },
    .request(
      6, "grown alone",
      [
        "line 8: turn 2 where 1 follows: after has no answer of turn 1",
        "line 11: turn 2 where 3 follows: after has an answer of turn 2",
      ]
    ) { $0.turn = 2 },
    .request(
      1, "before the agent",
      [
        "line 3: turn 1, but the session is in turn 0",
        "line 8: turn 1 where 2 follows: after has an answer of turn 1",
      ]
    ) { $0.turn = 1 },
    .request(13, "library ahead", ["line 15: turn 3, but the session is in turn 2"]) {
      $0.turn = 3
    },
  ]

  static let exchanges: [Contradiction] = [
    .notification(
      3, "x of a request",
      ["line 7: x 4 carries another message in line 5, without a batch"]
    ) { $0.x = 4 },
    .response(7, "x of nothing", ["line 9: x 99 is no exchange of the trace"]) { $0.x = 99 },
    .http(17, "closes nothing", ["line 19: x 99 closes a stream that no line opened"]) {
      $0.x = 99
    },
    .http(17, "opens twice", ["line 19: x 3 has a line of role 'stream-open' in line 6"]) {
      $0.role = .streamOpen
    },
    .http(17, "x of a message", ["line 19: x 1 is another exchange in line 3"]) {
      $0.x = 1
      $0.role = .other
    },
  ]

  static let footers: [Contradiction] = [
    .footer("miscounts", "counts says 9 of 'response', there are 7") { $0.counts["response"] = 9 },
    .footer("forgets", "counts lacks 'http', of which there are 2") { $0.counts["http"] = nil },
    .footer("bytes", "bytes_in is 5, but bytes_explained and the losses are 4") {
      $0.bytesIn = 5
      $0.bytesExplained = 1
      $0.loss = ["a": .init(count: 1, bytes: 3)]
    },
    .footer("packets", "packets: in is 3, but the other classes are 2") {
      $0.packets = ["in": 3, "tcp": 1, "other": 1]
    },
    .footer("payload", "tcp_bytes: in is 3, but the other classes are 0") {
      $0.tcpBytes = ["in": 3]
    },
  ]

  @Test func `wants a session line and one end`() {
    let events = Conversation.script.events
    let unannounced = TraceScript.closed(Array(events.dropFirst()))
    #expect(errors(unannounced) == ["line 2: session s1 has no session line"])
    let open = TraceScript.closed(Array(events.dropLast()))
    #expect(errors(open) == ["session s1 has no end line"])
    let twice = TraceScript.closed(events + events.suffix(1))
    #expect(errors(twice) == ["line 21: session s1 ends a second time"])
  }

  @Test func `forgives what is missing in a trace that was not closed`() throws {
    let events = TraceScript.trace(Conversation.script).dropFirst(2).prefix(5)
    let header = TraceScript.closed([]).prefix(1)
    let text = (header + events).map(\.line.text).joined(separator: "\n") + "\n{\"type\":\"re"
    let report = try TemporaryFile.with(text) { try TraceValidator.validate(path: $0) }
    #expect(report.errors == [])
    #expect(report.lines == 6)
    #expect(
      report.warnings.map(\.reason) == [
        "there is no footer: the recorder was stopped hard",
        "the trace is cut off at its end (11 bytes)",
      ])
  }

  @Test func `forgives references to earlier segments`() {
    var script = TraceScript("s1")
    var session = SessionLine(session: "s1", t: 0, transport: .streamableHTTP)
    session.continues = true
    session.nextN = 40
    script.events = [.session(session)]
    script.next { session, _, x in
      var line = RequestLine(
        session: session, n: 40, t: 9, dir: .c2s, id: RawJSON(.int(1)), method: "tools/call")
      line.origin = .agent
      line.turn = 7
      line.after = [39]
      line.x = x
      return .request(line)
    }
    var events = TraceScript.trace(script)
    guard case .header(var header) = events[0] else { return }
    header.segment = 2
    events[0] = .header(header)
    #expect(errors(events) == [])
  }

  @Test func `finds lines behind the footer`() {
    var events = TraceScript.trace(Conversation.script)
    events.append(.loss(LossLine(t: 0, kind: "late")))
    #expect(errors(events) == ["line 22: a line behind the footer"])
  }

  @Test func `names lines that do not fit the schema`() throws {
    let lines = [
      #"{"type":"header","format":"mcptrace","version":1,"recorder":"r","source":"pcap","t0":"2026-11-22T09:00:00Z"}"#,
      #"{"type":"sse","x":1,"t":"soon","kind":"comment"}"#,
      #"{"type":"loss","t":0}"#,
      "[]",
      #"{"type":"loss","t":0,"kind":"a","bytes":-1}"#,
      #"{"type":"regroup","session":"s1"}"#,
    ]
    let report = try TemporaryFile.with(lines.joined(separator: "\n") + "\n") {
      try TraceValidator.validate(path: $0)
    }
    #expect(
      report.errors.map { "\($0.line ?? 0) \($0.reason)" } == [
        "1 '/t0' does not match ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z$",
        "2 key 't' is not an integer", "3 required key 'kind' is missing",
        "4 not a JSON object in UTF-8", "5 '/bytes' is less than 0",
        "6 lacks the required key 'n'",
      ])
  }

  @Test func `lists no more errors than asked and counts all`() throws {
    let bad = String(repeating: "[]\n", count: 30)
    let header = TraceScript.closed([])[0].line.text
    let report = try TemporaryFile.with(header + "\n" + bad) {
      try TraceValidator.validate(path: $0, limit: 3)
    }
    #expect(report.errors.map(\.line) == [2, 3, 4])
    #expect(report.errorCount == 30)
    #expect(!report.isValid)
  }
}

/// Validates events as if they stood in a file, and returns the errors as the command prints them.
func errors(_ events: [TraceEvent]) -> [String] {
  var validator = TraceValidator()
  for (i, event) in events.enumerated() { validator.read(event, text: nil, line: i + 1) }
  return validator.finish(lines: events.count, tornTail: 0).errors.map { error in
    error.line.map { "line \($0): \(error.reason)" } ?? error.reason
  }
}
