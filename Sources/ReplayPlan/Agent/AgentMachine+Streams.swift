import Basics
import NIOCore
import Trace

/// Streams that end before they have said all.
///
/// Theory: a stream is taken up after the server's `retry`, from the last event on (SEP-1699). That of a request goes on until its
/// answer came, the session's own one as long as the session lasts. An event gives hope: only attempts without any are counted.
extension AgentMachine {
  /// How long to wait before taking up a stream when the server names no time (both SDKs: 1 s).
  static let resumePause: Int64 = 1_000_000_000
  /// A shorter time is not waited, and grows with every stream that ends within so long of the one before.
  static let shortPause: Int64 = 50_000_000
  static let calm: Int64 = 5_000_000_000
  /// How often a stream is taken up (Python: 2 attempts).
  static let resumeLimit = 2

  /// Arms the next attempt for a stream that has ended; false when there is to be none.
  mutating func takeUp(_ i: Int, _ rest: ExchangeRest?, _ at: Int64) -> Bool {
    // Its session is lost.
    if let exchange = states[i].exchange, exchange <= recovery.lastLost { return false }
    extras[i].eventID = rest?.eventID ?? extras[i].eventID
    extras[i].retry = rest?.retry ?? extras[i].retry
    if rest?.eventID != nil { extras[i].resumes = 0 }
    guard closing == nil, !isDeleted, extras[i].resumes < AgentMachine.resumeLimit else {
      return false
    }
    extras[i].resumes += 1
    states[i].exchange = nil
    arm(.resume(i), at + min(pause(of: i, at), policy.callTimeout))
    return true
  }

  /// The server's time; one so short that the client would spin grows while the stream ends again and again.
  private mutating func pause(of i: Int, _ at: Int64) -> Int64 {
    let wish = extras[i].retry.map { Int64($0) &* 1_000_000 } ?? AgentMachine.resumePause
    guard wish < AgentMachine.shortPause else { return wish }
    let isSoon = extras[i].streak > 0 && at - extras[i].takenUpAt < AgentMachine.calm
    extras[i].streak = isSoon ? extras[i].streak + 1 : 1
    extras[i].takenUpAt = at
    return min(
      AgentMachine.shortPause << Int64(min(extras[i].streak - 1, 8)), AgentMachine.resumePause)
  }

  /// The session's own stream has ended.
  mutating func streamEnded(
    _ i: Int, _ exchange: Exchange, _ rest: ExchangeRest?, _ at: Int64
  ) {
    // What did not answer with a stream has none to offer.
    guard let status = exchange.status, (200..<300).contains(status), !isFinished else { return }
    _ = takeUp(i, rest, at)
  }

  /// Asks for the rest of a stream.
  mutating func resume(_ i: Int) {
    let isOwn = book.facts[i].kind == .openStream
    guard isOwn ? closing == nil : states[i].phase == .flying else { return }
    var request =
      isOwn
      ? book.templates[i].bytes(identity, RequestFill())
      : book.resume.bytes(identity, RequestFill())
    if let eventID = extras[i].eventID {
      // The empty line that ends the head makes room for one more field.
      request.bytes.moveWriterIndex(to: request.bytes.writerIndex - 2)
      request.bytes.writeString("last-event-id: \(eventID)\r\n\r\n")
    }
    let exchange = send(.resume(i), request, id: isOwn ? nil : id(of: i), isInSession: true)
    if !isOwn { states[i].exchange = exchange }
  }

  /// The session is about to be deleted: what its streams had still to say is lost.
  mutating func abandonStreams() {
    for alarm in alarms {
      guard case .resume(let i) = alarm.what else { continue }
      alarms.removeAll { $0.what == alarm.what }
      if states[i].phase == .flying { over(i, .transportError, alarm.at) }
    }
  }

  /// True from the session's DELETE on.
  private var isDeleted: Bool {
    script.session.steps.indices.contains {
      book.facts[$0].kind == .delete && states[$0].attempts > 0
    }
  }

  /// True when the session's own stream is open, or about to be again.
  var hasOpenStream: Bool {
    let open = exchanges.contains { exchange in
      switch exchange.purpose {
      case .step(let i), .resume(let i), .recovery(let i): book.facts[i].kind == .openStream
      case .serverAnswer, .cancelNotice: false
      }
    }
    return open
      || alarms.contains { alarm in
        guard case .resume(let i) = alarm.what else { return false }
        return book.facts[i].kind == .openStream
      }
  }
}
