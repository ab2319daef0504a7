import Basics
import MCP
import NIOCore
import Trace
import Wire

/// What answers do to an agent.
extension AgentMachine {
  /// Takes what a server says on the connection of an exchange.
  public mutating func received(
    _ exchange: Int, _ event: AnswerDecoder.Event, _ now: Int64
  ) -> [AgentAction] {
    switch event {
    case .head(let status, let fields, let at): head(exchange, status, fields, at)
    case .message(let message, _, _, let at): self.message(exchange, message, at)
    case .endpoint(let text, let at): opened(exchange, endpoint: text, at)
    case .position(let id, let retry):
      edit(exchange) {
        $0.eventID = id ?? $0.eventID
        $0.retry = retry ?? $0.retry
      }
    case .end(let isComplete, _, _, let at): ended(exchange, isComplete: isComplete, at)
    case .garbage(_, let at): ended(exchange, isComplete: false, at)
    }
    finishIfDone(now)
    return take()
  }

  /// Takes that an exchange's connection failed or could not be made.
  public mutating func failed(_ exchange: Int, _ now: Int64) -> [AgentAction] {
    ended(exchange, isComplete: false, now)
    finishIfDone(now)
    return take()
  }

  /// What an exchange still says is of no interest.
  mutating func forget(_ exchange: Int) {
    exchanges.removeAll { $0.number == exchange }
    rests[exchange] = nil
  }

  private mutating func edit(_ exchange: Int, _ change: (inout ExchangeRest) -> Void) {
    guard exchanges.contains(where: { $0.number == exchange }) else { return }
    change(&rests[exchange, default: ExchangeRest()])
  }

  private mutating func head(_ exchange: Int, _ status: Int, _ fields: HeaderFields, _ at: Int64) {
    guard let entry = exchanges.firstIndex(where: { $0.number == exchange }) else { return }
    exchanges[entry].status = status
    exchanges[entry].first = at
    let i: Int
    switch exchanges[entry].purpose {
    case .step(let step), .recovery(let step): i = step
    case .resume(let step):
      if status < 300 { accepted(step) }
      return
    case .serverAnswer, .cancelNotice: return
    }
    if status < 300 { accepted(i) }
    if book.facts[i].feedsHeaders { edit(exchange) { $0.fields = fields } }
    guard book.facts[i].isHandshake, (200..<300).contains(status),
      let id = fields.first("mcp-session-id"),
      id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    else { return }
    identity.sessionID = id
  }

  private mutating func message(_ exchange: Int, _ message: JSONRPCMessage, _ at: Int64) {
    switch message.kind {
    case .notification: break
    case .request:
      if let id = message.id { answer(message.method, id, message.content, on: exchange, at) }
    case .result, .error:
      let carrier = exchanges.first { $0.number == exchange }
      if isRecovering,
        recovered(
          JSONRPCAnswer(
            id: message.id, isError: message.kind == .error, content: message.content,
            status: carrier?.status), at)
      {
        return
      }
      guard let i = step(answeredBy: message, on: carrier) else {
        if message.kind == .error { edit(exchange) { $0.error = message.content } }
        return
      }
      let isItsOwn = carrier?.purpose == .step(i) || carrier?.purpose == .resume(i)
      if message.kind == .error, isItsOwn, asksForToken(i, carrier?.status) {
        return edit(exchange) { $0.error = message.content }
      }
      states[i].first = states[i].first ?? (isItsOwn ? carrier?.first : nil) ?? at
      if message.kind == .result {
        succeeded(i, ResultFacts(message), carrier, at)
      } else {
        let isLost = carrier?.status == 404 && carrier?.isInSession == true
        over(
          i, isLost ? .sessionLost : .jsonrpcError, at, carrier?.status,
          code: message.content?.member("code")?.value.int)
      }
    }
  }

  /// The request in flight that an answer belongs to: by id, wherever it comes.
  private func step(answeredBy message: JSONRPCMessage, on carrier: Exchange?) -> Int? {
    guard let id = message.id else { return nil }
    if case .step(let i)? = carrier?.purpose, states[i].phase == .flying, self.id(of: i) == id {
      return i
    }
    return ids.lazy.filter { $0.id == id && states[$0.step].phase == .flying }.map(\.step).min()
  }

  mutating func succeeded(
    _ i: Int, _ facts: ResultFacts, _ carrier: Exchange?, _ at: Int64
  ) {
    let result = facts.result
    let step = book.facts[i]
    let status = carrier?.status
    if step.isHandshake {
      identity.revision = result?.member("protocolVersion")?.string ?? script.session.revision
    }
    if step.feedsCursor || step.isLastPage {
      let cursor = result?.member("nextCursor")
      extras[i].cursor = cursor?.text == "null" ? nil : cursor
    }
    if step.isLastPage, turnsPage(i, status, at) { return }
    if step.isModern, let result, result.member("resultType")?.string == "input_required",
      extras[i].round < AgentMachine.roundLimit
    {
      return nextRound(i, result, status, at)
    }
    if facts.mayBeTask, let task = TaskFacts(result), goesOn(i, task, carrier, at) { return }
    states[i].hasResult = true
    if step.feedsValues {
      let fields = carrier.flatMap { rests[$0.number]?.fields }
      for k in script.wanted[i] {
        let source = script.session.values[k].source
        values[k] = source.value(in: result, headers: fields)?.owned
      }
    }
    if extras[i].task != nil, step.taskEnd != nil { return promised(i, at, status) }
    let isError = step.saysIsError && facts.isError
    over(i, isError ? .toolError : .ok, at, status)
  }

  /// Answers `input_required`: the same params, this server's state, and the recorded answers under its keys.
  private mutating func nextRound(_ i: Int, _ result: RawJSON, _ status: Int?, _ at: Int64) {
    let step = script.session.steps[i]
    let round = extras[i].round
    actions.append(.settled(requestRecord(i, .ok, at: at, status)))
    extras[i].round += 1
    var members: [JSONValue.Member] = []
    var responses: [JSONValue.Member] = []
    var recorded = round < step.rounds.count ? step.rounds[round].answers : []
    var think: Int64 = 0
    for (key, request) in requests(result) {
      let method = request.member("method")?.string ?? ""
      let asked = request.member("params")
      let fitting = recorded.indices.filter { AgentMachine.fits(recorded[$0].response, asked) }
      let match =
        fitting.first { recorded[$0].key == key } ?? fitting.first { recorded[$0].method == method }
      var answer = match.flatMap { said(recorded.remove(at: $0), i) }
      if answer == nil,
        let given = recordedAnswer(method, asked, for: i)
      {
        think = max(think, given.think)
        answer = given.isError ? nil : given.content.value
      }
      answer = answer ?? AgentMachine.defaultAnswer(method)
      responses.append(.init(key, answer ?? .object([])))
    }
    if !responses.isEmpty { members.append(.init("inputResponses", .object(responses))) }
    if let state = result.member("requestState") {
      members.append(.init("requestState", state.value))
    }
    pendingRounds[i] = members
    let pause =
      round < step.rounds.count
      ? timing.roundThink[i][round] : responses.isEmpty ? AgentMachine.stateOnlyPause : think
    disarm(.timeout(i))
    sendAgain(i, at: at + pause)
  }

  /// The step is sent again at that time; until then no answer is its.
  mutating func sendAgain(_ i: Int, at: Int64) {
    states[i].exchange = nil
    setID(of: i, nil)
    arm(.again(i), at)
  }

  /// A recorded answer with the values of this run; `nil` without one of them, unless the recorded one may be sent.
  private mutating func said(_ answer: ScriptStep.Round.Answer, _ i: Int) -> JSONValue? {
    guard !answer.bindings.isEmpty else { return answer.response.value }
    let isWhole = answer.bindings.allSatisfy { values[$0.value] != nil }
    for binding in answer.bindings where values[binding.value] == nil {
      actions.append(
        .unresolved(UnresolvedValue(step: i, value: binding.value, cause: .notInAnswer)))
    }
    guard isWhole || script.onUnresolved == .recorded else { return nil }
    return RequestBook.said(answer, values).value
  }

  /// Where this server has more pages than the recorded one had, a client that read to the end reads on.
  private mutating func turnsPage(_ i: Int, _ status: Int?, _ at: Int64) -> Bool {
    guard let cursor = extras[i].cursor, extras[i].pages < AgentMachine.pageLimit, closing == nil
    else { return false }
    extras[i].pages += 1
    extras[i].nextPage = cursor.owned
    extras[i].cursor = nil
    actions.append(
      .repeated(requestRecord(i, .ok, at: at, status), script.session.steps[i].method))
    disarm(.timeout(i))
    sendAgain(i, at: at)
    return true
  }

  private func requests(_ result: RawJSON) -> [(key: String, request: RawJSON)] {
    var requests: [(key: String, request: RawJSON)] = []
    result.member("inputRequests")?.forEachMember { requests.append(($0, $1)) }
    return requests
  }

  /// An HTTP answer is over: whoever still waits for it has not been answered.
  private mutating func ended(_ number: Int, isComplete: Bool, _ at: Int64) {
    guard let index = exchanges.firstIndex(where: { $0.number == number }) else { return }
    let exchange = exchanges.remove(at: index)
    let rest = rests.isEmpty ? nil : rests.removeValue(forKey: number)
    let i: Int
    switch exchange.purpose {
    case .step(let step), .resume(let step): i = step
    case .recovery(let step): return recoveryEnded(step, exchange, isComplete: isComplete, at)
    case .serverAnswer, .cancelNotice: return
    }
    if refused(i, exchange, at) { return }
    let step = book.facts[i]
    if i == book.channelStep { return channelEnded(i, exchange, at) }
    guard states[i].phase == .flying, states[i].exchange == number else {
      if step.kind == .openStream {
        streamEnded(i, exchange, rest, at)
      } else if step.isLongLived {
        record(i, isComplete ? .ok : .transportError, at: at, exchange.status)
      }
      return
    }
    if exchange.purpose == .step(i) { states[i].first = states[i].first ?? exchange.first }
    if step.kind != .request {
      let isLost = exchange.status == 404 && exchange.isInSession && step.kind == .notification
      if isLost { loseSession(at, by: number) }
      return conclude(i, at: at, failed: false)
    }
    if hasChannel, isComplete, exchange.status.map({ (200..<300).contains($0) }) == true {
      // It was accepted; the answer is to come on the stream.
      states[i].exchange = nil
      return
    }
    let outcome = unansweredOutcome(exchange, rest, isComplete: isComplete)
    let hasEvents = rest?.eventID != nil || extras[i].eventID != nil
    if outcome == .transportError, hasEvents, takeUp(i, rest, at) { return }
    over(i, outcome, at, exchange.status, code: rest?.error?.member("code")?.value.int)
  }

  /// What an exchange without the request's answer means; the first class that applies.
  private func unansweredOutcome(
    _ exchange: Exchange, _ rest: ExchangeRest?, isComplete: Bool
  ) -> Outcome {
    guard isComplete, let status = exchange.status else { return .transportError }
    if status == 404, exchange.isInSession { return .sessionLost }
    if rest?.error != nil { return .jsonrpcError }
    // A 2xx without an answer is no complete answer; 202 says that none will come.
    return (200..<300).contains(status) && status != 202 ? .transportError : .httpError
  }

  /// The recorded client or ours stops waiting.
  mutating func giveUp(_ i: Int, _ outcome: Outcome, _ now: Int64) {
    guard states[i].phase == .flying else { return }
    let step = book.facts[i]
    // A notification never cancels an initialize.
    let isHandshake = step.isHandshake
    let closes =
      !book.isStdio && !hasChannel
      && (step.isModern || step.kind != .request || isHandshake
        || outcome == .cancelled && script.session.steps[i].cancellation?.notification == nil)
    if closes {
      if let exchange = states[i].exchange {
        forget(exchange)
        actions.append(.abandon(exchange: exchange))
      }
    } else if !isHandshake {
      if policy.freesConnections, let exchange = states[i].exchange {
        forget(exchange)
        actions.append(.abandon(exchange: exchange))
      }
      notifyCancelled(i)
    }
    if i == book.channelStep { return giveUpChannel(i, now) }
    if step.kind == .request { over(i, outcome, now) } else { conclude(i, at: now, failed: false) }
  }

  /// A request is over: it is recorded, and what follows is decided.
  mutating func over(
    _ i: Int, _ outcome: Outcome, _ at: Int64, _ status: Int? = nil, code: Int64? = nil
  ) {
    guard states[i].phase == .flying else { return }
    let step = book.facts[i]
    let isNewFailure = !step.isSuccess(outcome) && step.outcome.map(step.isSuccess) != false
    if case .retry(let limit) = policy.onError, isNewFailure, step.isCall, closing == nil,
      outcome != .sessionLost, extras[i].tries < limit, outcome != .cancelled
    {
      let pause = AgentMachine.repetitionPause << Int64(min(extras[i].tries, 5))
      extras[i].tries += 1
      startAnew(i)
      extras[i].failure = outcome
      actions.append(.settled(requestRecord(i, outcome, at: at, status, code: code)))
      alarms.removeAll { $0.what.step == i }
      return sendAgain(i, at: at + pause)
    }
    let exchange = states[i].exchange
    answered(outcome, by: exchange)
    record(i, outcome, at: at, status, code: code)
    noteTaskEnd(i, outcome, at, status, code)
    if outcome == .transportError { holdBack(i, until: at + AgentMachine.repetitionPause) }
    var failed = isNewFailure && outcome != .cancelled
    if policy.onError == .carryOn { failed = false }
    conclude(i, at: at, failed: failed)
    if outcome == .sessionLost { loseSession(at, by: exchange) }
    let endsSession = step.isHandshake || policy.onError == .endSession
    if failed, endsSession { close(.omit(.afterError), at) }
    if step.isHandshake, outcome != .ok {
      isStillborn = true
      close(.omit(.afterError), at)
    }
  }

  /// What fails at once must not be followed at once: without think times an agent would fail at full speed.
  private mutating func holdBack(_ i: Int, until: Int64) {
    for follower in book.followers[i] {
      states[follower.step].gate = max(states[follower.step].gate, until)
    }
  }

  /// A repetition knows nothing of the try before.
  private mutating func startAnew(_ i: Int) {
    extras[i].eventID = nil
    extras[i].resumes = 0
    extras[i].round = 0
    extras[i].task = nil
    extras[i].taskDeadline = nil
    extras[i].taskOutcome = nil
    pendingRounds[i] = nil
  }

  mutating func record(
    _ i: Int, _ outcome: Outcome, at: Int64, _ status: Int? = nil, code: Int64? = nil
  ) {
    actions.append(.record(requestRecord(i, outcome, at: at, status, code: code)))
  }

  func requestRecord(
    _ i: Int, _ outcome: Outcome, at: Int64, _ status: Int?, code: Int64? = nil
  ) -> RequestRecord {
    let state = states[i]
    let sent = state.sent ?? state.due
    let waited = book.facts[i].waits
    return RequestRecord(
      step: i, due: state.due, ideal: start + timing.ideal[i], sent: sent, first: state.first,
      done: at, outcome: outcome, status: status, code: code,
      isPrologue: state.isPrologue,
      thinkError: waited ? sent - max(state.ready + timing.think[i], state.gate) : nil)
  }
}
