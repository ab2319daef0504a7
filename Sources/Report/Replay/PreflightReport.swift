public import Basics
public import ReplayPlan
import Trace

/// What a preflight found, for people and for programs.
public struct PreflightReport {
  private let result: PreflightResult
  /// Characters of a call's arguments and of an answer that are shown to people.
  private static let shown = 80
  /// Characters of an answer that programs get.
  private static let kept = 400

  /// Renders `result`.
  public init(_ result: PreflightResult) { self.result = result }

  /// Counts, the calls that fail here, and what to do.
  public var text: String {
    let all = result.sent.count + result.unsent.count + result.blocked.count
    var lines = [
      "\(Format.count(all, "distinct read-only call")), \(result.sent.count) sent: "
        + "\(result.count(then: true, now: true)) ok as recorded, "
        + "\(result.count(then: true, now: false)) ok then and not here, "
        + "\(result.count(then: false, now: true)) ok only here, "
        + "\(result.count(then: false, now: false)) in neither"
    ]
    if !result.failures.isEmpty {
      lines += ["", table(result.failures)]
      let bound = result.failures.count(where: \.call.isBound)
      if bound > 0 {
        lines.append(
          "\(bound) of these took values from this target's answers, which --map does not change; shown is what was recorded"
        )
      }
      lines += cures
    }
    if !result.unanswered.isEmpty {
      lines += ["", "no answer, which is no matter of data: is the target up?"]
      lines.append(table(result.unanswered))
    }
    let reasons = Dictionary(grouping: result.unsent, by: \.reason)
    for (reason, title) in [
      (.unresolved, "not sent, as an answer before gave no value for it"),
      (.afterError, "not sent, as its session could not be opened or was lost"),
      (nil, result.isInterrupted ? "not sent before the interruption" : "not sent"),
    ] as [(SkipReason?, String)] {
      lines += list(title, (reasons[reason] ?? []).map(\.call))
    }
    lines += list(
      "not sent, as it takes a value of a call that may write or that the filter leaves out",
      result.blocked)
    if !result.writes.isEmpty {
      let calls = result.writes.values.reduce(0, +)
      let tools = result.writes.keys.sorted().map(Format.printable).joined(separator: ", ")
      lines.append(
        "not looked at: \(Format.count(calls, "distinct call")) of tools not known to be read-only (\(tools))"
      )
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func table(_ calls: [PreflightResult.Sent]) -> String {
    var table = Table([
      .text("tool", limit: 40), .text("arguments", limit: PreflightReport.shown), .text("then"),
      .text("now"), .text("code"), .text("says", limit: PreflightReport.shown),
    ])
    for sent in calls {
      table.add([
        sent.call.tool, arguments(sent.call), sent.call.then?.rawValue ?? "-",
        sent.now.outcome.rawValue, code(sent.now), sent.now.message.map(flat) ?? "-",
      ])
    }
    return table.text()
  }

  private var cures: [String] {
    let tools = Set(result.failures.map(\.call.tool)).sorted().joined(separator: ",")
    let skip = "--skip '\(Format.printable(tools))'"
    let indent = String(repeating: " ", count: max(0, skip.count - "--map FILE".count))
    let example = result.failures.lazy.compactMap { mapLine($0.call) }.first
    return [
      "What to do (replay run takes the same options):",
      "  --map FILE\(indent)  gives this target's values, in lines tool,pointer,from,to"
        + (example.map { ": \($0)" } ?? ""),
      "  \(skip)  leaves out all calls of these tools, and what takes values from them",
      "  or load the recorded data into the target",
    ]
  }

  /// A line of a map for the first argument of a call, where it needs no quotes.
  private func mapLine(_ call: Preflight.Call) -> String? {
    guard !call.isBound,
      let first = call.arguments?.value.members?.first(where: { $0.value.string != nil }),
      let from = first.value.string, from.count <= 40,
      !first.key.contains(where: { "~/".contains($0) })
    else { return nil }
    let fields = [call.tool, "/arguments/\(first.key)", from, "NEW"]
    let isPlain = fields.allSatisfy { field in
      !field.isEmpty && field == Format.printable(field) && !field.contains { "\",".contains($0) }
    }
    return isPlain ? fields.joined(separator: ",") : nil
  }

  private func list(_ title: String, _ calls: [Preflight.Call]) -> [String] {
    guard !calls.isEmpty else { return [] }
    return ["", "\(title): \(calls.count)"]
      + calls.map { Format.printable("  \($0.tool) \(flat(arguments($0)))") }
  }

  private func code(_ answer: PreflightResult.Answer) -> String {
    if let code = answer.code { return "\(code)" }
    guard let status = answer.status, status >= 300 else { return "-" }
    return "HTTP \(status)"
  }

  private func arguments(_ call: Preflight.Call) -> String { call.arguments?.text ?? "{}" }

  /// One line of bounded length.
  private func flat(_ text: String) -> String {
    Format.fitted(String(text.map { $0.isNewline ? " " : $0 }), PreflightReport.shown)
  }

  /// Stable keys.
  public var json: JSONValue {
    .object([
      .init("passed", .bool(result.isPassed)), .init("complete", .bool(result.isComplete)),
      .init("interrupted", .bool(result.isInterrupted)),
      .init(
        "counts",
        .object([
          .init("sent", .int(result.sent.count)), .init("unsent", .int(result.unsent.count)),
          .init("blocked", .int(result.blocked.count)),
          .init("ok_ok", .int(result.count(then: true, now: true))),
          .init("ok_err", .int(result.count(then: true, now: false))),
          .init("err_ok", .int(result.count(then: false, now: true))),
          .init("err_err", .int(result.count(then: false, now: false))),
        ])),
      .init("failures", .array(result.failures.map { json($0.call, json($0.now)) })),
      .init("unanswered", .array(result.unanswered.map { json($0.call, json($0.now)) })),
      .init(
        "unsent",
        .array(
          result.unsent.map {
            json($0.call, [.init("reason", .string($0.reason?.rawValue ?? "interrupted"))])
          })),
      .init("blocked", .array(result.blocked.map { json($0, []) })),
      .init(
        "writes",
        .object(result.writes.sorted { $0.key < $1.key }.map { .init($0.key, .int($0.value)) })),
    ])
  }

  private func json(_ call: Preflight.Call, _ rest: [JSONValue.Member]) -> JSONValue {
    .object(
      [
        .init("tool", .string(call.tool)),
        .init("arguments", call.arguments?.value ?? .null),
        .init("bound", .bool(call.isBound)),
        .init("then", call.then.map { .string($0.rawValue) } ?? .null),
      ] + rest)
  }

  private func json(_ answer: PreflightResult.Answer) -> [JSONValue.Member] {
    var members = [JSONValue.Member("now", .string(answer.outcome.rawValue))]
    if let status = answer.status { members.append(.init("status", .int(status))) }
    if let code = answer.code { members.append(.init("code", .number("\(code)"))) }
    if let message = answer.message {
      members.append(.init("message", .string(Format.fitted(message, PreflightReport.kept))))
    }
    return members
  }
}
