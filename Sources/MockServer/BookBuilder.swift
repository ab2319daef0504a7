import Basics
import MCP
import Trace

/// Gathers the lines of a trace, which come in any order, and joins them into an `ExchangeBook`.
struct BookBuilder {
  /// A line's place: its session (`nil` for lines that belong to none) and its `n`.
  private struct Place: Hashable {
    let session: String?
    let n: Int
  }

  private var sessionLines: [String: SessionLine] = [:]
  private var requests: [RequestLine] = []
  private var responses: [Place: ResponseLine] = [:]
  private var notifications: [NotificationLine] = []
  private var streams: [HTTPLine] = []
  private var deletes: [HTTPLine] = []

  mutating func add(_ event: TraceEvent) {
    switch event {
    case .session(let line):
      sessionLines[line.session] = sessionLines[line.session]?.updated(by: line) ?? line
    case .request(let line): requests.append(line)
    case .response(let line): responses[Place(session: line.session, n: line.re)] = line
    case .notification(let line): if line.dir == .s2c { notifications.append(line) }
    case .http(let line):
      if line.role == .streamOpen { streams.append(line) }
      if line.role == .delete { deletes.append(line) }
    case .header, .connection, .sse, .exchange, .loss, .end, .footer, .unknown: break
    }
  }

  func finish() -> ExchangeBook {
    var book = ExchangeBook()
    let names = sessionLines.values.sorted { ($0.t, $0.session) < ($1.t, $1.session) }
    var indices: [String?: Int] = [:]
    for line in names {
      indices[line.session] = book.sessions.count
      book.sessions.append(
        RecordedSession(
          isStateful: line.key?.by == .mcpSessionID, revision: line.revision,
          client: line.client, server: line.server))
      if let path = line.path, !book.paths.contains(path) { book.paths.append(path) }
    }
    book.sessionCount = names.count
    book.otherTransports = names.count { $0.transport != .streamableHTTP }
    let interludes = messagesOfStreams(&book, indices)
    let repeated = Set(
      requests.compactMap { line in line.retryOf.map { Place(session: line.session, n: $0) } })

    for request in requests.sorted(by: { ($0.t, $0.n) < ($1.t, $1.n) }) where request.dir == .c2s {
      let place = Place(session: request.session, n: request.n)
      guard let response = responses[place], response.outcome != .unanswered,
        !repeated.contains(place)
      else { continue }
      let session = indices[request.session] ?? unlisted(request.session, &book, &indices)
      append(request, response, session, interludes[place] ?? [], to: &book)
    }
    answerGivenUpCalls(in: &book)
    book.tools = Array(Set(requests.compactMap(\.tool))).sorted()
    book.streamStatus = BookBuilder.usualStatus(streams)
    book.deleteStatus = BookBuilder.usualStatus(deletes)
    return book
  }

  /// Calls that the recorded client gave up: the server took longer than that, nobody knows how much, here twice the wait,
  /// and says what it said to another call of the tool. A client that is patient is not left waiting for ever.
  private func answerGivenUpCalls(in book: inout ExchangeBook) {
    for (key, page) in book.pageOf where key.family.method == Method.toolsCall {
      for index in book.pages[page].all {
        let recorded = book.exchanges[index]
        guard case .silence = recorded.answer else { continue }
        let own = OwnAnswers(isModern: book.sessions[recorded.session].isModern)
        let other = book.standIn(for: key).map { book.exchanges[$0] }
        book.exchanges[index] = RecordedExchange(
          session: recorded.session,
          answer: other?.answer ?? .result(own.toolError("No answer to this call was recorded")),
          status: other?.status ?? 200, style: other?.style ?? recorded.style,
          done: recorded.done &* 2, interludes: recorded.interludes, losesSession: false)
      }
    }
  }

  /// What the server says when it agrees, else what it said first.
  private static func usualStatus(_ lines: [HTTPLine]) -> Int? {
    let lines = lines.sorted { $0.t < $1.t }
    return lines.first { ($0.status ?? 500) < 300 }?.status ?? lines.first?.status
  }

  /// Makes room for what has no session line: a failed initialize, a cut-off trace.
  private func unlisted(
    _ name: String?, _ book: inout ExchangeBook, _ indices: inout [String?: Int]
  ) -> Int {
    indices[name] = book.sessions.count
    book.sessions.append(RecordedSession())
    return book.sessions.count - 1
  }

  private func append(
    _ request: RequestLine, _ response: ResponseLine, _ session: Int,
    _ interludes: [RecordedExchange.Interlude], to book: inout ExchangeBook
  ) {
    let base = request.sent ?? request.t
    let answer = RecordedExchange.Answer(
      request, response, OwnAnswers(isModern: book.sessions[session].isModern))
    let index = book.exchanges.count
    let exchange = RecordedExchange(
      session: session, answer: answer,
      status: response.status ?? (response.outcome == .httpError ? 500 : 200),
      style: .init(response, hasInterludes: !interludes.isEmpty),
      done: max(0, max(response.t, response.done ?? response.t) &- base), interludes: interludes,
      losesSession: response.outcome == .sessionLost)
    book.exchanges.append(exchange)

    let key = CallKey(method: request.method, params: request.params)
    let page = book.pageOf[key] ?? book.pages.count
    if page == book.pages.count {
      book.pageOf[key] = page
      book.pages.append(ExchangeBook.Page())
    }
    book.pages[page].all.append(index)
    if book.pages[page].bySession[session] == nil { book.pages[page].sessions.append(session) }
    book.pages[page].bySession[session, default: []].append(index)
    if exchange.canStandIn { book.families[key.family, default: []].append(index) }
    if request.method == Method.initialize, response.result != nil,
      book.sessions[session].initialize == nil
    {
      book.sessions[session].initialize = index
    }
  }

  /// Sorts what servers sent unasked: to the request it belongs to, or to its session's GET stream.
  private func messagesOfStreams(
    _ book: inout ExchangeBook, _ indices: [String?: Int]
  ) -> [Place: [RecordedExchange.Interlude]] {
    var byExchange: [Int: RequestLine] = [:]
    var byPlace: [Place: RequestLine] = [:]
    for line in requests where line.dir == .c2s {
      if let x = line.x, line.batch ?? 0 == 0 { byExchange[x] = line }
      byPlace[Place(session: line.session, n: line.n)] = line
    }
    let opened = streams.filter { ($0.status ?? 200) < 300 }
    let streamExchanges = Set(opened.map(\.x))
    var firstOpening: [String: Int64] = [:]
    for line in opened {
      guard let session = line.session else { continue }
      firstOpening[session] = min(firstOpening[session] ?? line.t, line.t)
    }

    var interludes: [Place: [RecordedExchange.Interlude]] = [:]
    func sort(
      _ session: String?, re: Int?, x: Int?, t: Int64,
      _ message: (_ base: Int64) -> RecordedExchange.Interlude.Message
    ) {
      let named = re.flatMap { byPlace[Place(session: session, n: $0)] }
      if let owner = named ?? x.flatMap({ byExchange[$0] }) {
        let base = owner.sent ?? owner.t
        interludes[Place(session: owner.session, n: owner.n), default: []].append(
          .init(at: max(0, t &- base), message: message(base)))
      } else if let session, let x, streamExchanges.contains(x), let index = indices[session],
        let base = firstOpening[session]
      {
        book.sessions[index].streamMessages.append(
          .init(at: max(0, t &- base), message: message(base)))
      }
    }
    for line in notifications {
      sort(line.session, re: line.re, x: line.x, t: line.t) { _ in
        .notification(method: line.method, params: line.params)
      }
    }
    for line in requests where line.dir == .s2c {
      let answer = responses[Place(session: line.session, n: line.n)]
      sort(line.session, re: nil, x: line.x, t: line.t) { base in
        .request(
          method: line.method, params: line.params,
          answeredAt: answer.flatMap { $0.outcome == .unanswered ? nil : max(0, $0.t &- base) })
      }
    }
    for index in book.sessions.indices {
      book.sessions[index].streamMessages.sort { $0.at < $1.at }
    }
    return interludes.mapValues { $0.sorted { $0.at < $1.at } }
  }
}

extension RecordedExchange.Style {
  /// An answer that never came says by its head what it would have been.
  init(_ response: ResponseLine, hasInterludes: Bool) {
    let type = response.headers?.first("content-type") ?? ""
    switch response.via {
    case .sse, .postSSE, .getSSE: self = .sse
    case .json, .stdio: self = hasInterludes ? .sse : .json
    case .post, nil: self = hasInterludes || type.hasPrefix("text/event-stream") ? .sse : .json
    }
  }
}

extension RecordedExchange.Answer {
  /// What to say again; where the recording kept no payload, the least that is valid for the outcome.
  init(_ request: RequestLine, _ response: ResponseLine, _ era: OwnAnswers) {
    switch response.outcome {
    case .ok, .toolError:
      self = .result(
        response.result
          ?? era.placeholder(for: request.method, isError: response.outcome == .toolError))
    case .jsonrpcError:
      self = .error(
        response.error ?? OwnAnswers.error(response.code ?? -32603, "not kept in the recording"))
    case .sessionLost:
      self = response.error.map { .error($0) } ?? .body(response.body ?? "")
    case .httpError: self = .body(response.body ?? "")
    case .transportError: self = .brokenOff
    case .cancelled, .timeout, .unanswered: self = .silence
    }
  }
}
