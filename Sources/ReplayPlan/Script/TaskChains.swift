import Basics
import MCP
import Trace

/// What an answer says of a task (2025-11-25: in `task`, or in an answer to `tasks/get`; the extension of 2026: beside `resultType`).
struct TaskFacts: Hashable {
  var id: RawJSON
  /// Where the id stands in the result.
  var path: String
  var status: String
  /// The server's wish for the time between polls, milliseconds.
  var interval: Int64?
  /// The call's own result, which the extension puts into the last poll's answer.
  var result: RawJSON?
  /// How the call ended when its task's state is all that is known of it.
  var outcome: Outcome

  init?(_ result: RawJSON?) {
    let wrapped = result?.member("task")
    guard let task = wrapped ?? result, let id = task.member("taskId"), id.kind == .string,
      let status = task.member("status")?.string
    else { return nil }
    self.id = id
    self.status = status
    path = wrapped == nil ? "/taskId" : "/task/taskId"
    interval = (task.member("pollIntervalMs") ?? task.member("pollInterval"))?.int
    self.result = result?.member("result")
    outcome =
      switch status {
      case "failed": .jsonrpcError
      case "cancelled": .cancelled
      default: self.result?.member("isError")?.text == "true" ? .toolError : .ok
      }
  }

  /// True when nothing more happens to it.
  var isOver: Bool { ["completed", "failed", "cancelled"].contains(status) }

  /// True when there is nothing to do but to ask again.
  var isAtWork: Bool { !isOver && status != "input_required" }

  /// The same without what pins the answer that it came in.
  var kept: TaskFacts {
    var kept = self
    kept.id = id.owned
    kept.result = nil
    return kept
  }
}

/// Which recorded requests ask after which call's task.
struct TaskChains {
  /// First poll of the loop that a later poll belongs to, by `n`.
  private(set) var loops: [Int: Int] = [:]
  /// The call whose task a request is about, by `n`.
  private(set) var calls: [Int: Int] = [:]
  /// The request whose answer ended a call's task, by the call's `n`.
  private(set) var ends: [Int: Int] = [:]

  static let get = "tasks/get"
  static let result = "tasks/result"

  init(_ requests: [RequestLine], _ answers: [Int: ScriptBuilder.Answer]) {
    var owners: [RawJSON: Int] = [:]
    var loop: [RawJSON: Int] = [:]
    let ordered = requests.filter { $0.dir == .c2s }.sorted { ($0.t, $0.n) < ($1.t, $1.n) }
    for line in ordered where line.method == Method.toolsCall {
      // Answers come later than what is sent in the meantime, but nobody can ask after an unknown id.
      if let id = answers[line.n]?.task?.id { owners[id] = line.continues ?? line.n }
    }
    for line in ordered where line.method.hasPrefix("tasks/") {
      guard let id = line.params?.member("taskId"), let call = owners[id] else { continue }
      calls[line.n] = call
      if line.method == TaskChains.get {
        if let first = loop[id] { loops[line.n] = first } else { loop[id] = line.n }
        if answers[line.n]?.task?.isOver == true, ends[call] == nil {
          ends[call] = loops[line.n] ?? line.n
        }
      } else {
        loop[id] = nil
        if line.method == TaskChains.result { ends[call] = line.n }
      }
    }
  }
}
