import Basics
import MCP
import Trace

/// Calls that are answered with a task (2025-11-25 experimental; the extension of 2026).
///
/// Theory: the handle releases what waited for the call, as it did in the recording; the call itself ends with its task, and only
/// then counts. Polls are not replayed one by one: a loop asks at the server's interval until the task is over or wants input, and
/// what the recorded client did next follows. A server may also answer with a task where it did not in the recording (the extension
/// leaves that to it): then the call asks by itself, and what waited for its result waits on.
/// A task may take as long as in the recording and the policy's call timeout more.
extension AgentMachine {
  /// Time between polls when neither server nor recording say one.
  static let pollPause: Int64 = 1_000_000_000

  /// Takes a task in an answer; true when the step goes on polling.
  mutating func goesOn(_ i: Int, _ task: TaskFacts, _ carrier: Exchange?, _ at: Int64) -> Bool {
    let step = book.facts[i]
    let pollsItself = self.pollsItself(i)
    if step.isCall { extras[i].task = task.kept }
    guard step.isPoll || pollsItself else { return false }
    guard task.isAtWork else {
      if step.isPoll, task.isOver { extras[i].taskOutcome = task.outcome }
      guard pollsItself, !step.isPoll else { return false }
      extras[i].task = nil
      if let result = task.result {
        succeeded(i, ResultFacts(result), carrier, at)
      } else {
        // Input that nobody was asked for then, or an end that says nothing, is no complete answer.
        let isFailure = task.isOver && task.outcome != .ok
        over(i, isFailure ? task.outcome : .transportError, at, carrier?.status)
      }
      return true
    }
    let deadline = extras[i].taskDeadline ?? at + step.service + policy.callTimeout
    extras[i].taskDeadline = deadline
    let pause = interval(task, i)
    disarm(.timeout(i))
    guard at + pause <= deadline else {
      over(i, .timeout, at, carrier?.status)
      return true
    }
    actions.append(.repeated(requestRecord(i, .ok, at: at, carrier?.status), TaskChains.get))
    sendAgain(i, at: at + pause)
    return true
  }

  /// True for a call after whose task nobody asked in the recording, in revisions where that is the server's choice.
  func pollsItself(_ i: Int) -> Bool {
    let step = book.facts[i]
    return step.isCall && step.isModern && !script.askedAfter.contains(i)
  }

  private func interval(_ task: TaskFacts, _ i: Int) -> Int64 {
    let call = book.facts[i].taskOf.flatMap { extras[$0].task?.interval }
    guard let milliseconds = task.interval ?? call else { return AgentMachine.pollPause }
    return max(1, min(milliseconds, policy.callTimeout / 1_000_000)) &* 1_000_000
  }

  /// The call was answered with a handle: others go on, and it ends with its task.
  mutating func promised(_ i: Int, _ at: Int64, _ status: Int?) {
    actions.append(.settled(requestRecord(i, .ok, at: at, status)))
    openTasks.insert(i)
    conclude(i, at: at, failed: false)
  }

  /// A request about a task is over: so is the call, if it was the last one or failed.
  mutating func noteTaskEnd(
    _ i: Int, _ outcome: Outcome, _ at: Int64, _ status: Int?, _ code: Int64?
  ) {
    guard let call = book.facts[i].taskOf, openTasks.contains(call) else { return }
    let isEnd = book.facts[call].taskEnd == i
    guard isEnd || outcome != .ok else { return }
    // A poll that ended the task then, and now says that it goes on, leaves it without an end.
    let isOpen = book.facts[i].isPoll && outcome == .ok
    closeTask(
      call, extras[i].taskOutcome ?? (isOpen ? .transportError : outcome), at: at, status, code)
  }

  /// A step that would have ended a call's task was left out.
  mutating func endTask(of i: Int, _ at: Int64) {
    guard let call = book.facts[i].taskOf, book.facts[call].taskEnd == i else {
      return
    }
    closeTask(call, .unanswered, at: at)
  }

  /// Counts a call whose task is over.
  mutating func closeTask(
    _ call: Int, _ outcome: Outcome, at: Int64, _ status: Int? = nil, _ code: Int64? = nil
  ) {
    guard openTasks.remove(call) != nil else { return }
    actions.append(.taskOver(requestRecord(call, outcome, at: at, status, code: code)))
  }

  /// True for what an answered call still owes: it goes on when the agent closes.
  func isOwed(_ i: Int) -> Bool {
    book.facts[i].taskOf.map(openTasks.contains) ?? false
  }

  /// True while a step waits for its next poll.
  func isPolling(_ i: Int) -> Bool { extras[i].taskDeadline != nil }

  /// True for a request about a task that this server did not make: it answered at once.
  func isWithoutTask(_ i: Int) -> Bool {
    guard let call = book.facts[i].taskOf else { return false }
    return states[call].hasResult && extras[call].task == nil
  }
}
