import Basics
import MCP
import Trace

/// What steps take from the answers to others.
extension ScriptAssembly {
  /// Finds what steps take from others: cursors, bound values, and the order that the protocol demands.
  func link(
    _ script: inout SessionScript, _ done: [Int64], start: Int64, stepOfAnswer: [Int: Int]
  ) {
    let initialize = script.steps.firstIndex { $0.method == "initialize" }
    let initialized = script.steps.firstIndex { $0.method == "notifications/initialized" }
    var cursors: [RawJSON: Int] = [:]
    var values: [SessionScript.Value: Int] = [:]
    for i in script.steps.indices {
      let step = script.steps[i]
      if !step.isCall, let cursor = step.params?.member("cursor") {
        script.steps[i].cursorFrom = cursors[cursor]
      }
      for use in requests[step.n]?.valueUses ?? [] {
        if let from = stepOfAnswer[use.from], from < i { bind(i, use, from, &script, &values) }
      }
      // Clients send nothing between the handshake's messages; a faster clock must not overtake them.
      for gate in [initialize, initialized].compactMap({ $0 })
      where gate < i && !step.isModern && done[gate] <= start + step.offset
        && !step.after.contains(gate)
      {
        script.steps[i].gates.append(gate)
      }
      let cursor = answersByRequest[step.n]?.nextCursor
      if let cursor { cursors[cursor] = i }
      script.steps[i].isLastPage =
        script.steps[i].cursorFrom != nil && step.outcome == .ok && cursor == nil
      linkRounds(i, stepOfAnswer, &script, &values)
    }
  }

  /// Finds what answers in later rounds of a call take from the answers to others.
  private func linkRounds(
    _ i: Int, _ stepOfAnswer: [Int: Int], _ script: inout SessionScript,
    _ values: inout [SessionScript.Value: Int]
  ) {
    let rounds = (members[script.steps[i].n] ?? []).dropFirst().filter { $0.retryOf == nil }
    guard rounds.count == script.steps[i].rounds.count else { return }
    for (k, line) in rounds.enumerated() {
      for use in line.valueUses {
        guard let from = stepOfAnswer[use.from], from < i, let at = ValuePath(use.at),
          let path = ValuePath(use.path), at.steps.first == .child("inputResponses"),
          case .child(let key)? = at.steps.dropFirst().first,
          let answer = script.steps[i].rounds[k].answers.firstIndex(where: { $0.key == key })
        else { continue }
        let value = SessionScript.Value(
          step: from, source: ValueSource(path: path, within: use.within))
        script.steps[i].rounds[k].answers[answer].bindings.append(
          .init(
            value: number(of: value, &script, &values),
            at: ValuePath(steps: Array(at.steps.dropFirst(2))), within: use.atWithin))
      }
    }
  }

  /// The value's place in the script, where it is put when it is new.
  private func number(
    of value: SessionScript.Value, _ script: inout SessionScript,
    _ values: inout [SessionScript.Value: Int]
  ) -> Int {
    if let known = values[value] { return known }
    script.values.append(value)
    values[value] = script.values.count - 1
    return script.values.count - 1
  }

  /// Ties what is asked after a call's task to the call, and the call to what ended it.
  func linkTasks(_ script: inout SessionScript) {
    let steps = Dictionary(
      script.steps.enumerated().filter { $1.kind == .request }.map { ($1.n, $0) },
      uniquingKeysWith: { a, _ in a })
    // The rounds and repetitions of a call are part of its step.
    func step(of n: Int) -> Int? { steps[roots[n] ?? n] }
    let ends = Dictionary(
      tasks.ends.map { (roots[$0] ?? $0, $1) }, uniquingKeysWith: { a, b in max(a, b) })
    for i in script.steps.indices {
      let n = script.steps[i].n
      if let call = tasks.calls[n].flatMap(step), call < i,
        let path = answer(of: call, script)?.task.flatMap({ ValuePath($0.path) })
      {
        script.steps[i].taskOf = call
        let value = SessionScript.Value(step: call, source: ValueSource(path: path, within: nil))
        script.values.append(value)
        script.steps[i].bindings.append(
          .init(
            value: script.values.count - 1, at: ValuePath(steps: [.child("taskId")]),
            isProtocol: true))
        if !script.steps[i].after.contains(call) { script.steps[i].gates.append(call) }
      }
      guard let end = ends[n].flatMap(step), end > i else { continue }
      script.steps[i].taskEnd = end
      let last = answer(of: end, script)
      script.steps[i].outcome = last?.task?.outcome ?? last?.outcome
    }
  }

  /// The last answer to a step.
  private func answer(of i: Int, _ script: SessionScript) -> ScriptBuilder.Answer? {
    let n = script.steps[i].n
    return (members[n] ?? []).compactMap { answersByRequest[$0.n] }.last
  }

  /// Ties a place in the params of step `i` to a value of the answer of an earlier one.
  private func bind(
    _ i: Int, _ use: ValueUse, _ from: Int, _ script: inout SessionScript,
    _ values: inout [SessionScript.Value: Int]
  ) {
    guard let at = ValuePath(use.at), let path = ValuePath(use.path) else { return }
    if script.steps[i].bindings.contains(where: { $0.at == at && $0.isProtocol }) { return }
    // Pages have a rule of their own: there may be fewer of them.
    if script.steps[i].cursorFrom != nil, at.steps == [.child("cursor")] { return }
    let value = SessionScript.Value(
      step: from, source: ValueSource(path: path, within: use.within))
    let index = number(of: value, &script, &values)
    script.steps[i].bindings.append(.init(value: index, at: at, within: use.atWithin))
    // Mostly implied by what it waits for; a value that is not there yet is waited for in any case.
    if !script.steps[i].after.contains(from), !script.steps[i].gates.contains(from) {
      script.steps[i].gates.append(from)
    }
  }
}
