import Basics
import Wire

/// The requests of an HTTP/1 connection that wait for their answers, and which of them an answer belongs to.
struct ExchangePairing {
  /// Most requests that wait (as many as HTTP/2 streams), and most while those of all connections are too many, as where
  /// a capture has one side only.
  private static let limit = 4096
  private static let crowdedLimit = 16

  /// True once requests may be missing: then an answer may have none.
  var requestsMayBeMissing: Bool
  /// True once answers may be missing: then a request may have none.
  private(set) var answersMayBeMissing = false
  private var awaiting: [HTTPExchange] = []
  /// True once a request was seen before the answer to the one before.
  private var isPipelined = false
  /// The request that a hole on its side followed, by number.
  private var beforeHole: Int?
  /// True from a hole on the server's side to the next answer.
  private var isBehindHole = false

  init(fromStart: Bool) { requestsMayBeMissing = !fromStart }

  /// The request whose answer comes next.
  var first: HTTPExchange? { awaiting.first }
  var isEmpty: Bool { awaiting.isEmpty }

  /// Takes the next request; returns the one that is given up for it, when too many wait.
  mutating func asked(_ exchange: HTTPExchange, isCrowded: Bool) -> HTTPExchange? {
    awaiting.append(exchange)
    let limit = isCrowded ? ExchangePairing.crowdedLimit : ExchangePairing.limit
    guard awaiting.count > limit else { return nil }
    answersMayBeMissing = true
    return awaiting.removeFirst()
  }

  /// Notes a hole among the requests.
  mutating func missRequests() {
    requestsMayBeMissing = true
    beforeHole = awaiting.last?.x
  }

  /// Notes a hole among the answers.
  mutating func missAnswers() {
    answersMayBeMissing = true
    isBehindHole = true
  }

  /// Copies what those that wait keep.
  func own() { for exchange in awaiting { exchange.own() } }

  /// Takes all that wait.
  mutating func takeAll() -> [HTTPExchange] {
    defer { awaiting = [] }
    return awaiting
  }

  /// Whether the client sent another request by then, behind an answer's beginning, which it had thus read to its end.
  func isNextSent(after began: Timestamp, by at: Timestamp) -> Bool {
    !isPipelined && awaiting.contains { $0.startedAt > began && $0.startedAt <= at }
  }

  /// Notes an interim response with the request it precedes the answer to.
  func noteInterim(_ head: HTTPResponseHead) {
    let last = answersMayBeMissing ? latest(before: head.firstByteAt) : nil
    (last.map { awaiting[$0] } ?? awaiting.first)?.interim.append(head.status)
  }

  /// Returns the request that a final response answers, `nil` where that is missing, and those before it whose answer is.
  mutating func answered(
    _ head: HTTPResponseHead
  ) -> (exchange: HTTPExchange?, unanswered: [HTTPExchange]) {
    let wasBehindHole = isBehindHole
    isBehindHole = false
    guard let first = awaiting.first else { return (nil, []) }
    let at = head.firstByteAt
    guard answersMayBeMissing, !isPipelined else {
      if requestsMayBeMissing, first.startedAt > at { return (nil, []) }
      if awaiting.count > 1, awaiting[1].startedAt < at { isPipelined = true }
      // Order is all there is to go on, and behind a hole it may be off by one.
      if isPipelined, requestsMayBeMissing || answersMayBeMissing {
        first.flags.append("pairing-uncertain")
      }
      return (awaiting.removeFirst(), [])
    }
    guard let index = latest(before: at) else {
      return requestsMayBeMissing ? (nil, []) : (awaiting.removeFirst(), [])
    }
    let exchange = awaiting[index]
    if wasBehindHole {
      // Its answer may be in this hole, and the request that this answers in one of the other side.
      guard exchange.x != beforeHole || exchange.mayBeAnswered(by: head) else {
        let unanswered = Array(awaiting.prefix(index + 1))
        awaiting.removeFirst(index + 1)
        return (nil, unanswered)
      }
      exchange.flags.append("pairing-uncertain")
    }
    let unanswered = Array(awaiting.prefix(index))
    awaiting.removeFirst(index + 1)
    return (exchange, unanswered)
  }

  private func latest(before at: Timestamp) -> Int? { awaiting.lastIndex { $0.startedAt <= at } }
}

extension HTTPExchange {
  /// Whether an answer fits what was asked: messages that ask nothing are accepted (202), those that do are answered.
  fileprivate func mayBeAnswered(by head: HTTPResponseHead) -> Bool {
    guard request?.method == "POST", requestBody.isComplete else { return true }
    let messages = JSONRPCPayload(requestBody.bytes).messages
    guard !messages.isEmpty else { return true }
    let asks = messages.contains { $0.kind == .request }
    return asks ? head.status != 202 : head.status != 200
  }
}
