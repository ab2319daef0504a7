import Basics
import Trace

/// All lines of one session (or of none), to be checked together.
struct SessionLedger {
  var requests: [Numbered<RequestLine>] = []
  var responses: [Numbered<ResponseLine>] = []
  var notifications: [Numbered<NotificationLine>] = []
  var http: [Numbered<HTTPLine>] = []
  /// Lines that end the session.
  var ends: [Int] = []
  /// Other lines that name it.
  var mentions: [Int] = []
  /// The session's lines, merged.
  private(set) var announced: SessionLine?
  /// `n` below this belong to earlier segments; 0 when there are none.
  private(set) var firstN = 0

  mutating func announce(_ line: SessionLine) {
    if line.continues == true, announced == nil { firstN = line.nextN ?? .max }
    announced = announced?.updated(by: line) ?? line
  }

  /// Checks the lines. `isWhole`: the file was closed and is no segment, so that nothing may be missing.
  /// `lacksLines`: some were never written, so that any reference may lead nowhere.
  func check(name: String?, isWhole: Bool, lacksLines: Bool, _ findings: inout Findings) {
    let firstN = lacksLines ? .max : firstN
    let index = MessageIndex(self)
    checkNumbers(&findings)
    checkAnswers(index, firstN, isWhole: isWhole, &findings)
    checkReferences(index, firstN, &findings)
    WaitRules(index, firstN: firstN).check(self, &findings)
    let isCut = announced?.start == .cut || announced?.continues == true
    guard let name else { return }
    if !lacksLines { TurnRules.check(requests, index, isCut: isCut, &findings) }
    checkFrame(name, isWhole: isWhole, &findings)
  }

  private func checkFrame(_ name: String, isWhole: Bool, _ findings: inout Findings) {
    for line in ends.dropFirst() { findings.error(line, "session \(name) ends a second time") }
    guard isWhole else { return }
    let lines =
      requests.map(\.line) + responses.map(\.line) + notifications.map(\.line) + http.map(\.line)
    if announced == nil {
      let first = (lines + ends + mentions).min()
      findings.error(first, "session \(name) has no session line")
    } else if ends.isEmpty {
      findings.error(nil, "session \(name) has no end line")
    }
  }

  private func checkNumbers(_ findings: inout Findings) {
    var numbers: [(n: Int, line: Int)] = []
    numbers += requests.map { ($0.content.n, $0.line) }
    numbers += responses.map { ($0.content.n, $0.line) }
    numbers += notifications.map { ($0.content.n, $0.line) }
    numbers += http.compactMap { entry in entry.content.n.map { ($0, entry.line) } }
    numbers.sort { $0.line < $1.line }
    var seen: [Int: Int] = [:]
    for (n, line) in numbers {
      if let before = seen[n] {
        findings.error(line, "n \(n) is used in line \(before) already")
      } else {
        seen[n] = line
      }
    }
  }

  private func checkAnswers(
    _ index: MessageIndex, _ firstN: Int, isWhole: Bool, _ findings: inout Findings
  ) {
    var answered: [Int: Int] = [:]
    for entry in responses.sorted(by: { $0.line < $1.line }) {
      let answer = entry.content
      if let before = answered[answer.re] {
        findings.error(
          entry.line, "request n \(answer.re) has an answer in line \(before) already")
      }
      answered[answer.re] = answered[answer.re] ?? entry.line
      guard let request = index.requests[answer.re] else {
        if answer.re >= firstN {
          findings.error(entry.line, "re \(answer.re) names no request of the session")
        }
        continue
      }
      if request.dir == answer.dir {
        findings.error(entry.line, "goes the same way as the request n \(answer.re) it answers")
      }
      if (answer.done ?? answer.t) < answer.t {
        findings.warning(entry.line, "done is earlier than t")
      }
    }
    guard isWhole else { return }
    for entry in requests where answered[entry.content.n] == nil {
      findings.error(entry.line, "request n \(entry.content.n) has no response line")
    }
  }

  private func checkReferences(
    _ index: MessageIndex, _ firstN: Int, _ findings: inout Findings
  ) {
    func request(_ key: String, _ n: Int?, _ line: Int) {
      guard let n, n >= firstN, index.requests[n] == nil else { return }
      findings.error(line, "\(key) \(n) names no request of the session")
    }
    let notes = Set(notifications.map(\.content.n))
    for entry in requests {
      request("continues", entry.content.continues, entry.line)
      request("poll_of", entry.content.pollOf, entry.line)
      // The repeated request may stand outside the session, when the refused one was its initialize.
      if entry.content.method != "initialize" {
        request("retry_of", entry.content.retryOf, entry.line)
      }
      for use in entry.content.uses?.array ?? [] {
        guard let from = use["from"]?.int.map({ Int($0) }), from >= firstN else { continue }
        guard let answer = index.answers[from] else {
          findings.error(entry.line, "uses: from \(from) names no answer of the session")
          continue
        }
        if (answer.done ?? answer.t) > entry.content.t {
          findings.error(entry.line, "uses: the answer n \(from) came after the request")
        }
      }
    }
    for entry in notifications { request("re", entry.content.re, entry.line) }
    for entry in responses {
      guard let n = entry.content.cancelledBy, n >= firstN, !notes.contains(n) else { continue }
      findings.error(entry.line, "cancelled_by \(n) names no notification of the session")
    }
  }
}

/// The messages of a session by `n`.
struct MessageIndex {
  let requests: [Int: RequestLine]
  let answers: [Int: ResponseLine]

  init(_ ledger: SessionLedger) {
    requests = Dictionary(
      ledger.requests.map { ($0.content.n, $0.content) }, uniquingKeysWith: { first, _ in first })
    answers = Dictionary(
      ledger.responses.map { ($0.content.n, $0.content) }, uniquingKeysWith: { first, _ in first })
  }

  /// The turn of the request that the answer `n` belongs to.
  func turn(ofAnswer n: Int) -> Int? { answers[n].flatMap { requests[$0.re]?.turn } }
}
