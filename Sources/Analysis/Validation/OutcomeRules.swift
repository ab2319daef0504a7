import Basics
import Trace

/// What a response's `outcome` says must agree with the rest of its line.
///
/// Theory: the outcome is the first that applies in the order of the format's definition. `transport_error`,
/// `timeout` and `cancelled` come first and are known from elsewhere; of the others each can be told from the
/// HTTP status, the JSON-RPC error and `isError`. What is not kept (payloads `shape` or `none`) is not judged.
enum OutcomeRules {
  static func check(
    _ line: ResponseLine, source: HeaderLine.Source?, line number: Int, _ findings: inout Findings
  ) {
    func wrong(_ reason: String) {
      findings.error(number, "outcome '\(line.outcome.rawValue)' " + reason)
    }
    let isRefused = line.status.map { !(200..<300).contains($0) } ?? false
    let hasError = line.error != nil || line.code != nil
    let isError = line.result?.value["isError"]?.bool
    switch line.outcome {
    case .transportError, .cancelled: break
    case .timeout:
      if source != nil, source != .replay { wrong("is known to clients only, not to a recorder") }
    case .unanswered:
      if line.result != nil || hasError { wrong("has an answer") }
    case .sessionLost:
      if line.status != 404 { wrong("needs HTTP status 404") }
    case .jsonrpcError:
      if !hasError { wrong("has neither 'error' nor 'code'") }
    case .httpError:
      if hasError { wrong("has a JSON-RPC error: that comes first") }
      if line.status == nil { wrong("has no HTTP status") }
    case .toolError:
      if hasError || isRefused { wrong("does not agree with the error or the HTTP status") }
      if line.result != nil, isError != true { wrong("has a result without isError") }
    case .ok:
      if hasError || isRefused { wrong("does not agree with the error or the HTTP status") }
      if isError == true { wrong("has a result with isError") }
    }
  }
}
