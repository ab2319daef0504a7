import Basics
import Trace

/// What lines of the recorders say and retelling cannot find out again: uses of values that were not kept, codes of errors that
/// were not kept, and keys of later versions. Joins it with the lines that are told anew.
///
/// A request is known by its exchange and its place in the batch, an answer by its request. Uses between two sessions of today
/// are left out. Memory: some 200 bytes a request.
final class RetoldDetails {
  /// A request of a client: the exchange in the retold trace, and the place in its batch.
  struct Key: Hashable {
    var x: Int
    var batch: Int
  }

  private struct Said {
    var uses: [ValueUse]
    /// Where the recorder's answers are that its uses name.
    var sources: [Key?]
    var extra: [ExtraMember]
  }

  private struct Named: Hashable {
    var session: String?
    var n: Int
  }

  private struct Answer {
    var session: String?
    var n: Int
    var done: Int64
  }

  private var said: [Key: Said] = [:]
  private var answered: [Key: ResponseLine] = [:]
  private var requests: [Named: Key] = [:]
  private var answers: [Key: Answer] = [:]

  /// Notes a request that is about to be told; `source` finds the request of an answer of its session, by the answer's `n`.
  func note(_ line: RequestLine, _ key: Key, source: (Int) -> Key?) {
    let uses = line.valueUses
    guard !uses.isEmpty || !line.extra.isEmpty else { return }
    said[key] = Said(uses: uses, sources: uses.map { source($0.from) }, extra: line.extra)
  }

  /// Notes an answer that is about to be told, without its payload.
  func note(_ line: ResponseLine, of key: Key) {
    guard line.code != nil || !line.extra.isEmpty else { return }
    var line = line
    (line.result, line.error, line.body, line.raw, line.headers) = (nil, nil, nil, nil, nil)
    answered[key] = line
  }

  /// Returns a line that was told anew with what else is known of it.
  func joined(_ event: TraceEvent) -> TraceEvent {
    switch event {
    case .request(let line) where line.dir == .c2s: .request(joined(line))
    case .response(let line) where line.dir == .s2c: .response(joined(line))
    default: event
    }
  }

  private func joined(_ line: RequestLine) -> RequestLine {
    guard let x = line.x else { return line }
    let key = Key(x: x, batch: line.batch ?? 0)
    requests[Named(session: line.session, n: line.n)] = key
    guard let said = said.removeValue(forKey: key) else { return line }
    var line = line
    line.extra += said.extra
    guard line.uses == nil, !said.uses.isEmpty else { return line }
    var uses: [ValueUse] = []
    for (use, source) in zip(said.uses, said.sources) {
      guard let source, let answer = answers[source], answer.session == line.session,
        answer.done <= line.t
      else { continue }
      var use = use
      use.from = answer.n
      uses.append(use)
    }
    guard !uses.isEmpty else { return line }
    line.uses = .array(uses.map(\.json))
    if line.afterBy == .order, uses.contains(where: { line.after?.contains($0.from) == true }) {
      line.afterBy = .uses
    }
    return line
  }

  private func joined(_ line: ResponseLine) -> ResponseLine {
    guard let key = requests.removeValue(forKey: Named(session: line.session, n: line.re)) else {
      return line
    }
    answers[key] = Answer(session: line.session, n: line.n, done: line.done ?? line.t)
    guard let old = answered.removeValue(forKey: key) else { return line }
    var line = line
    line.extra += old.extra
    if line.code != nil { line.code = old.code ?? line.code }
    return line
  }
}
