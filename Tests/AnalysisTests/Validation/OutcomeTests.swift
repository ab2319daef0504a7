import Analysis
import Basics
import TestKit
import Testing
import Trace

struct `Outcome rules` {
  struct Case: Sendable, CustomTestStringConvertible {
    let outcome: Outcome
    var status: Int? = nil
    var code: Int64? = nil
    var result: String? = nil
    var reason: String? = nil
    var testDescription: String {
      "\(outcome.rawValue) status \(status.map(String.init) ?? "-") result \(result ?? "-")"
    }
  }

  @Test(arguments: [
    Case(outcome: .ok), Case(outcome: .ok, status: 202),
    Case(outcome: .ok, status: 200, result: #"{"isError":false}"#),
    Case(outcome: .ok, status: 500, reason: "does not agree with the error or the HTTP status"),
    Case(outcome: .ok, code: -1, reason: "does not agree with the error or the HTTP status"),
    Case(outcome: .ok, result: #"{"isError":true}"#, reason: "has a result with isError"),
    Case(outcome: .toolError, status: 200, result: #"{"isError":true}"#),
    Case(outcome: .toolError, status: 200),
    Case(outcome: .toolError, result: "{}", reason: "has a result without isError"),
    Case(outcome: .jsonrpcError, status: 400, code: -32600),
    Case(outcome: .jsonrpcError, status: 400, reason: "has neither 'error' nor 'code'"),
    Case(outcome: .httpError, status: 401),
    Case(outcome: .httpError, reason: "has no HTTP status"),
    Case(
      outcome: .httpError, status: 400, code: -1,
      reason: "has a JSON-RPC error: that comes first"),
    Case(outcome: .sessionLost, status: 404, code: -32001),
    Case(outcome: .sessionLost, status: 400, reason: "needs HTTP status 404"),
    Case(outcome: .unanswered), Case(outcome: .cancelled, status: 200),
    Case(outcome: .unanswered, result: "{}", reason: "has an answer"),
    Case(outcome: .timeout, reason: "is known to clients only, not to a recorder"),
    Case(outcome: .transportError, status: 200),
  ])
  func `hold a response against its outcome`(example: Case) {
    var script = TraceScript()
    let n = script.sdk("ping", at: 0)
    script.answer(n, at: 1, example.outcome) {
      $0.status = example.status
      $0.code = example.code
      $0.result = example.result.map { RawJSON(JSONValue(parsing: $0) ?? .null) }
    }
    script.end(at: 2)
    let expected = example.reason.map { ["line 4: outcome '\(example.outcome.rawValue)' \($0)"] }
    #expect(errors(TraceScript.trace(script)) == expected ?? [])
  }
}
