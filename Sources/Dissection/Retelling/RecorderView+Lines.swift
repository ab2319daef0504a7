import Basics
import Trace

/// What lines tell of exchanges and connections.
extension RecorderView {
  func note(_ line: ConnectionLine, _ place: LinePlace) throws(RetellingError) {
    let conn = try checked(line.conn)
    highest.conn = max(highest.conn, conn)
    // `ip:port`, where the address of IPv6 has colons of its own.
    clients[conn] = line.client.lastIndex(of: ":").map { String(line.client[..<$0]) } ?? line.client
    if line.closed == nil || line.how == "capture-end" {
      openConnections.insert(conn)
    } else {
      openConnections.remove(conn)
    }
    aside(at: line.closed ?? line.t, place)
  }

  func note(_ line: RequestLine, _ place: LinePlace) throws(RetellingError) {
    let index = try exchange(line.x, line.conn)
    let key = AskedKey(session: line.session, n: line.n)
    asked[key] = Asked(
      id: MessageToken(line.id), method: line.method, exchange: index, isClients: line.dir == .c2s)
    guard line.dir == .c2s else {
      exchanges[index].isStream = true
      return event(index, at: line.sent ?? line.t, place)
    }
    clock.note(line, at: moment(line.t))
    exchanges[index].stream = line.stream
    said(index, t: line.t, sent: line.sent ?? line.t, session: line.session, batch: line.batch)
    add(place, nil, to: index, \.request)
  }

  func note(_ line: ResponseLine, _ place: LinePlace) throws(RetellingError) {
    let question = asked.removeValue(forKey: AskedKey(session: line.session, n: line.re))
    guard let via = line.via else { return try noteUnanswered(line, question, place) }
    let index = try exchange(line.x, line.conn)
    let id = question?.id
    if line.dir == .c2s {
      let sent = line.done ?? line.t
      said(index, t: line.t, sent: sent, session: line.session, batch: line.batch)
      exchanges[index].status = line.status
      return add(place, id, to: index, \.request)
    }
    if let question, question.exchange != index { exchanges[question.exchange].isLeftOpen = true }
    if line.headers != nil { exchanges[index].head = lines.count }
    exchanges[index].status = line.status ?? exchanges[index].status
    exchanges[index].headAt = min(exchanges[index].headAt ?? .max, line.t &+ shift)
    let done = line.done ?? line.t
    if line.cancelledBy != nil {
      exchanges[index].isCancelled = true
    } else if let question {
      clock.note(line, to: question.method, at: moment(done))
    }
    if via == .json {
      reach(index, done)
      exchanges[index].end = .init(by: .server, isAnswered: true)
      add(place, id, to: index, \.body)
    } else {
      exchanges[index].isStream = true
      event(index, at: done, place, id, batch: line.batch, isLate: line.cancelledBy != nil)
    }
  }

  /// Notes how a request ended that got no answer.
  private func noteUnanswered(
    _ line: ResponseLine, _ question: Asked?, _ place: LinePlace
  ) throws(RetellingError) {
    // The server's own requests end with their sessions.
    guard line.dir == .s2c, let index = question?.exchange else { return }
    let waits =
      line.session.flatMap { sessions[$0]?.transport } == .httpSSE || exchanges[index].isStream
    if waits, line.by == .capture, line.status == nil {
      // Its answer could still have come elsewhere, until the session was over.
      exchanges[index].isLeftOpen = true
      return
    }
    end(index, line.done ?? line.t)
    if line.cancelledBy != nil {
      exchanges[index].isCancelled = true
      exchanges[index].endedAt = line.t &+ shift
    }
    exchanges[index].end = .init(
      by: line.by ?? .capture,
      isAnswered: line.outcome == .httpError || line.outcome == .sessionLost)
    if line.status != nil || line.headers != nil {
      exchanges[index].status = line.status
      exchanges[index].headAt = min(exchanges[index].headAt ?? .max, line.t &+ shift)
    }
    let hasBody = line.body != nil || line.raw != nil || line.bytes != nil
    guard line.headers != nil || hasBody else { return }
    if line.headers != nil { exchanges[index].head = lines.count }
    if hasBody { exchanges[index].plainBody = lines.count }
    lines.append(RetoldLine(place: place))
  }

  func note(_ line: NotificationLine, _ place: LinePlace) throws(RetellingError) {
    let index = try exchange(line.x, line.conn)
    guard line.dir == .c2s else {
      let done = line.done ?? line.t
      guard line.via == .json else {
        exchanges[index].isStream = true
        return event(index, at: done, place, batch: line.batch)
      }
      reach(index, done)
      return add(place, nil, to: index, \.body)
    }
    said(index, t: line.t, sent: line.t, session: line.session, batch: line.batch)
    exchanges[index].status = line.status
    if let done = line.done { reach(index, done) }
    add(place, nil, to: index, \.request)
  }

  func note(_ line: HTTPLine, _ place: LinePlace) throws(RetellingError) {
    let index = try exchange(line.x, line.conn)
    if line.role == .streamClose {
      end(index, line.done ?? line.t)
      let by = line.how.flatMap { ResponseLine.EndedBy(rawValue: $0) }
      exchanges[index].end = .init(by: by ?? .server, isAnswered: line.how == "complete")
      return
    }
    said(index, t: line.t, sent: line.t, session: line.session, batch: nil)
    exchanges[index].status = line.status
    if let done = line.done {
      if line.role == .streamOpen { end(index, done) } else { reach(index, done) }
      exchanges[index].end = .init(by: .server, isAnswered: true)
    }
    switch line.role {
    case .streamOpen, .streamClose:
      exchanges[index].role = .stream
      if line.done == nil {
        exchanges[index].isStream = true
        // It was told as soon as it was open.
        exchanges[index].headAt = max(line.t &+ shift, told)
      }
    case .delete: exchanges[index].role = .delete
    case .auth: exchanges[index].role = .auth
    case .other: exchanges[index].role = .other
    }
    add(place, nil, to: index, \.request)
  }
}
