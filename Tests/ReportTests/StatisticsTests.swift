import Analysis
import Basics
import Report
import TestKit
import Testing
import Trace

struct `Statistics` {
  private let figures: TraceStatistics

  init() throws {
    figures = TraceStatistics(try TraceContents(path: Fixture.path("example.mcptrace")))
  }

  @Test func `as text`() {
    #expect(
      StatisticsText.text(figures) == """
        1 session, 3 calls, 6 HTTP requests in 15.0 s
        success 66.7 %; tool_error 1
        at once: 2 calls in flight, 1 session open
        waits inferred from the order alone: 0 %

                                   n    p50    p90    p95    p99    max   mean
        calls per session          1      3      3      3      3      3      3
        turns per session          1      2      2      2      2      2      2
        calls per turn             2      1      2      2      2      2    1.5
        think time                 3  4.6 s  4.6 s  4.6 s  4.6 s  4.6 s  3.9 s
        service time               3  31 ms  57 ms  57 ms  57 ms  57 ms  34 ms
        burst, calls < 1 s apart   2      1      2      2      2      2    1.5
        burst, calls < 10 s apart  1      3      3      3      3      3      3

        index of dispersion of requests: 0.1s 0.97, 1s -, 10s -, 60s -

        tools
          tool    calls  ok  tool_error  other    p50    p95    max
          read        2   1           1      0  15 ms  57 ms  57 ms
          search      1   1           0      0  31 ms  31 ms  31 ms

        requests
          method      requests
          tools/call         3
          initialize         1

        chains
          sessions  chain
                 1  search → (read ∥ read)

        """)
  }

  @Test func `as JSON have the keys that other programs read`() throws {
    let json = StatisticsJSON.value(figures, file: "e")
    let keys = try #require(json.members).map(\.key)
    #expect(
      keys == [
        "file", "recorder", "source", "t0", "span_ms", "torn_tail_bytes", "sessions",
        "sessions_explicit", "http_requests", "requests", "calls", "tools_calls",
        "calls_per_session", "turns_per_session", "fan_out", "think_ms", "service_ms",
        "burst_sizes", "idc", "peak_concurrency", "outcomes", "success_ratio", "tools", "chains",
        "waits_on_order", "per_session", "loss",
      ])
    #expect(JSONValue(parsing: json.text) == json)
  }

  @Test(arguments: [
    ("sessions", "1"), ("sessions_explicit", "1"), ("http_requests", "6"),
    ("requests", #"{"initialize":1,"tools/call":3}"#), ("calls", "3"), ("tools_calls", "3"),
    ("idc", #"{"0.1s":0.971429,"1s":null,"10s":null,"60s":null}"#),
    (
      "service_ms",
      #"{"n":3,"p50":30.98,"p90":57.02,"p95":57.02,"p99":57.02,"max":57.02,"mean":34.34}"#
    ),
    ("peak_concurrency", #"{"calls":2,"sessions":1}"#), ("success_ratio", "0.666667"),
    ("chains", #"[{"chain":"search → (read ∥ read)","count":1}]"#), ("waits_on_order", "0"),
    (
      "per_session",
      #"[{"session":"s1","key":"mcp-session-id","key_value":"8f2c…surrogate","confidence":1,"#
        + #""start":"seen","end":"deleted","turns":2,"calls":3,"#
        + #""tools_call":["search","read","read"],"http_requests":6}]"#
    ),
    ("loss", "{}"),
  ])
  func `as JSON`(key: String, value: String) {
    #expect(StatisticsJSON.value(figures, file: "e")[key]?.text == value)
  }

  @Test func `as JSON of an empty trace are null where nothing was measured`() {
    let empty = TraceStatistics(TraceContents(events: TraceScript.closed([])))
    let json = StatisticsJSON.value(empty, file: "e")
    #expect(json["success_ratio"] == .null)
    #expect(json["think_ms"]?["p50"] == .null)
    #expect(json["think_ms"]?["n"] == .int(0))
  }
}
