import Analysis
import ArgumentParser
import Basics
import Report
import Trace

/// `trace stats`
struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute the figures of a trace.",
    discussion: """
      A call is an agent-made tools/call with its repetitions and resumptions. Service time: from the \
      last byte of a request to the last byte of its answer. Think time: from the last answer a request \
      waited for to its first byte. A burst is a run of calls less than 1 s (10 s) apart. The index of \
      dispersion is variance over mean of the client's requests in windows of 0.1, 1, 10 and 60 s; there \
      is none below 30 windows. success_ratio is the share of calls that ended ok.

      --json prints one object a file, times in milliseconds: file, recorder, source, t0, span_ms, \
      torn_tail_bytes, sessions, sessions_explicit, http_requests, requests {method}, calls, tools_calls, \
      calls_per_session, turns_per_session, fan_out, think_ms, service_ms (each n, p50, p90, p95, p99, \
      max, mean), burst_sizes {1s, 10s}, idc {0.1s, 1s, 10s, 60s}, peak_concurrency {calls, sessions}, \
      outcomes, success_ratio, tools {name {calls, outcomes, service_ms}}, chains [{chain, count}], \
      waits_on_order, per_session [{session, key, key_value, confidence, start, end, turns, calls, \
      tools_call, http_requests}], loss {kind {count, bytes}}.
      """)

  @Argument(help: "Traces to read; - is standard input.", completion: .file())
  var files: [String]

  @Flag(help: "Print JSON, one object a line for each file.")
  var json = false

  func run() throws {
    for (i, file) in files.enumerated() {
      let contents: TraceContents
      do {
        contents = try TraceContents(path: file, detail: .outline)
      } catch {
        throw Exit.report(error, file: file)
      }
      Exit.warnTornTail(contents.tornTail, file: file)
      let figures = TraceStatistics(contents)
      if json {
        try Exit.print(StatisticsJSON.value(figures, file: file).text + "\n")
      } else {
        if i > 0 { try Exit.print("\n") }
        try Exit.print(TraceHeading.text(contents, file: file) + StatisticsText.text(figures))
      }
    }
  }
}
