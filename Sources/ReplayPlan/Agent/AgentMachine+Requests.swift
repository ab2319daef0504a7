import Basics
import NIOCore
import Trace

/// What an agent sends.
extension AgentMachine {
  /// Most rounds of one call; SDKs stop after ten.
  static let roundLimit = 10
  /// Pause before a round that only carries state back (SDKs take 50 to 250 ms).
  static let stateOnlyPause: Int64 = 100_000_000
  /// Most pages that are read beyond the recorded ones; a server whose pages never end is left.
  static let pageLimit = 1000
  /// Pause before the first repetition; it doubles. An agent never fails at full speed.
  static let repetitionPause: Int64 = 1_000_000_000

  /// Sends a step for the first time.
  mutating func transmit(_ i: Int) {
    let step = book.facts[i]
    guard states[i].phase != .flying, states[i].phase != .over else { return }
    disarm(.due(i))
    var cursor: RawJSON?
    if let from = step.cursorFrom {
      cursor = extras[from].cursor
      // The listing has fewer pages here: this one does not exist.
      if cursor == nil { return conclude(i, at: states[i].due, failed: false) }
    }
    if let closed = step.closes {
      hangUp(closed)
      return conclude(i, at: states[i].due, failed: false)
    }
    let isOfSession = step.kind == .openStream || step.kind == .delete
    // What the recorded client did not do itself is done in a session alone; one that the server never gave has no end.
    let isForeign =
      isOfSession
      && (book.isStdio || identity.sessionID == nil && (step.n == 0 || step.kind == .delete))
    if isForeign || step.kind == .openStream && hasOpenStream {
      return conclude(i, at: states[i].due, failed: false)
    }
    if step.kind == .delete { abandonStreams() }
    states[i].phase = .flying
    if step.kind == .request { setID(of: i, mintID(isText: step.isIDText)) }
    post(i, book.templates[i].bytes(identity, fill(i, cursor)))
    if step.kind == .openStream && i != book.channelStep || step.isLongLived {
      conclude(i, at: states[i].due, failed: false)
    }
  }

  /// Sends a step again with a new id: another try, or the next round of a call.
  mutating func transmitAgain(_ i: Int) {
    let step = book.facts[i]
    guard states[i].phase == .flying else { return }
    if step.kind == .request { setID(of: i, mintID(isText: step.isIDText)) }
    let fill = fill(i, extras[i].nextPage ?? step.cursorFrom.flatMap { extras[$0].cursor })
    if let task = extras[i].task, pollsItself(i) {
      post(i, book.poll(script.session.steps[i], task.id).bytes(identity, fill))
    } else if let round = pendingRounds[i] {
      let body = AgentMachine.round(book.templates[i].body(fill), round)
      post(i, book.templates[i].bytes(identity, fill, body: body))
    } else {
      post(i, book.templates[i].bytes(identity, fill))
    }
  }

  /// Sends a step again that is over for those that wait for it.
  mutating func postAgain(_ i: Int) {
    setID(of: i, mintID(isText: book.facts[i].isIDText))
    post(i, book.templates[i].bytes(identity, fill(i, nil)))
  }

  private func fill(_ i: Int, _ cursor: RawJSON?) -> RequestFill {
    identity.completed(
      RequestFill(id: id(of: i), cursor: cursor, values: book.facts[i].isBound ? values : []))
  }

  /// The same request with what a round adds to its params.
  private static func round(_ body: ByteBuffer, _ added: [JSONValue.Member]) -> ByteBuffer {
    let names = ["inputResponses", "requestState"]
    var members = RawJSON(trusted: body).value.members ?? []
    let kept = RawJSON(trusted: body).member("params")?.value.members ?? []
    members.removeAll { $0.key == "params" }
    members.append(
      .init("params", .object(kept.filter { !names.contains($0.key) } + added)))
    return RawJSON(.object(members)).bytes
  }

  /// Tells the server that a request was given up, as clients with sessions do.
  mutating func notifyCancelled(_ i: Int) {
    guard let id = id(of: i), !isRecovering else { return }
    var members: [JSONValue.Member] = [.init("requestId", id.value)]
    if let recorded = script.session.steps[i].cancellation?.notification?.value.members {
      members += recorded.filter { $0.key != "requestId" }
    } else {
      let seconds = Double(policy.callTimeout) / 1e9
      members.append(.init("reason", .string("timed out after \(seconds)s")))
    }
    let body = JSONValue.object([
      .init("jsonrpc", .string("2.0")), .init("method", .string("notifications/cancelled")),
      .init("params", .object(members)),
    ])
    _ = send(.cancelNotice(i), extraBytes(body), id: nil, isInSession: true)
  }

  /// Ends a stream that is open for as long as the client likes.
  private mutating func hangUp(_ i: Int) {
    guard let at = exchanges.firstIndex(where: { $0.purpose == .step(i) }) else { return }
    let exchange = exchanges.remove(at: at)
    rests[exchange.number] = nil
    if book.isStdio {
      notifyCancelled(i)
    } else {
      actions.append(.abandon(exchange: exchange.number))
    }
    record(i, .cancelled, at: states[i].due, exchange.status)
  }

  private mutating func post(_ i: Int, _ request: RequestBytes) {
    states[i].attempts += 1
    states[i].exchange = send(
      .step(i), request, id: id(of: i), isInSession: book.templates[i].isInSession)
  }

  mutating func send(
    _ purpose: Transmission.Purpose, _ request: RequestBytes, id: RawJSON?, isInSession: Bool
  ) -> Int {
    lastExchange += 1
    identity.traces.request = lastExchange
    exchanges.append(
      Exchange(
        number: lastExchange, purpose: purpose,
        isInSession: isInSession && identity.sessionID != nil,
        credential: identity.credential?.version ?? 0))
    actions.append(
      .send(
        Transmission(
          exchange: lastExchange, purpose: purpose, bytes: request.bytes, id: id,
          bodyLength: request.bodyLength)))
    return lastExchange
  }

  func extraBytes(_ body: JSONValue) -> RequestBytes {
    book.extra.bytes(identity, body: RawJSON(body).bytes)
  }

  /// Ids count up from the recorded client's first; the JSON type stays.
  mutating func mintID(isText: Bool) -> RawJSON {
    let value = nextID
    nextID &+= 1
    return RawJSON(trusted: ByteBuffer(string: isText ? "\"\(value)\"" : String(value)))
  }
}
