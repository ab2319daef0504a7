import Basics
import MCP
import Trace

/// What an agent asks of a step at every turn: without references, which would be counted each time.
struct StepFacts: Sendable {
  let n: Int
  let kind: ScriptStep.Kind
  let turn: Int
  /// Recorded service time, nanoseconds.
  let service: Int64
  let isCall: Bool
  let isModern: Bool
  let isLongLived: Bool
  let isPoll: Bool
  let isLastPage: Bool
  /// True for `initialize`.
  let isHandshake: Bool
  /// True where `isError` of the result tells success.
  let saysIsError: Bool
  /// True when the recorded id is a string.
  let isIDText: Bool
  /// True when it waits for answers.
  let waits: Bool
  /// True when its params take values of answers.
  let isBound: Bool
  let isCancelled: Bool
  /// True when a later step takes its `nextCursor`.
  let feedsCursor: Bool
  /// True when a later step takes a value of its answer.
  let feedsValues: Bool
  /// True when a later step takes a field of its answer's header.
  let feedsHeaders: Bool
  let cursorFrom: Int?
  let closes: Int?
  let taskOf: Int?
  let taskEnd: Int?
  let omission: ScriptStep.Omission?
  /// Recorded outcome.
  let outcome: Outcome?

  init(_ i: Int, _ script: AgentScript) {
    let step = script.session.steps[i]
    n = step.n
    kind = step.kind
    turn = step.turn
    service = step.service
    isCall = step.isCall
    isModern = step.isModern
    isLongLived = step.isLongLived
    isPoll = step.isPoll
    isLastPage = step.isLastPage
    isHandshake = step.method == "initialize"
    saysIsError = step.method == Method.toolsCall || step.method == TaskChains.result
    isIDText = step.id?.kind == .string
    waits = !step.after.isEmpty
    isBound = !step.bindings.isEmpty
    isCancelled = step.cancellation != nil
    feedsCursor = script.feedsCursors.contains(i)
    feedsValues = !script.wanted[i].isEmpty
    feedsHeaders = script.feedsHeaders.contains(i)
    cursorFrom = step.cursorFrom
    closes = step.closes
    taskOf = step.taskOf
    taskEnd = step.taskEnd
    omission = step.omission
    outcome = step.outcome
  }

  /// True for a POST whose answer ends it: not for streams that stay open.
  var isTimed: Bool { kind != .openStream && !isLongLived }

  /// Returns whether `outcome` now is a success, as `ScriptStep.isSuccess` says.
  func isSuccess(_ outcome: Outcome) -> Bool {
    outcome == .ok || outcome == .toolError && self.outcome == .toolError
  }
}

/// A step that waits for another.
struct Follower: Sendable {
  let step: Int
  /// True when it waits for the answer; think time runs from there.
  let isAfter: Bool
  /// True when the protocol wants the other to be over first.
  let isGated: Bool
}
