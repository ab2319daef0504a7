public import Basics
public import Trace

/// Learns in one session which values of its requests came from its answers (`uses`).
///
/// Theory: a value is a use when an answer had exactly it before the agent ever said it, and it is such that two equal ones are no
/// coincidence (`ValueWorth`). The first answer that had it counts: what repeats it later knows it from there. What the protocol
/// passes back (cursors, task ids, request states) is a use whatever it looks like, of the latest answer that gave it out.
///
/// Memory is bounded (`ValueTable`); times are the trace's.
public struct ValueFlow: Sendable {
  private var table = ValueTable()

  /// Values of one answer, and of one request, that are looked at.
  private static let answerLimit = 512
  private static let requestLimit = 256

  /// Creates the flow of a new session.
  public init() {}

  /// Memory in use, bytes.
  public var size: Int { table.size }

  /// How often older values were forgotten for new ones.
  public var losses: Int { table.losses }

  /// Learns the values of the answer `n`, complete at `done`, to a request of that method.
  ///
  /// `shown` has the texts, by path, of which a trace shows another one of the same length: surroundings are taken from that.
  public mutating func learn(
    _ result: RawJSON, of method: String, n: Int, done: Int64, shown: [[UInt8]: [UInt8]] = [:]
  ) {
    var left = ValueFlow.answerLimit
    ValueScan.result(result, of: method) { text, isString, path, isProtocol in
      let rank: UInt8 = path.contains(0x23) ? 1 : 0
      func note(_ part: Span<UInt8>, rank: UInt8, _ around: ValueSurroundings?) {
        left -= 1
        let source = ValueTable.Source(
          n: n, done: done, rank: rank, path: path,
          before: around.map { ValueFlow.part($0.before, of: text, at: path, shown) } ?? [],
          after: around.map { ValueFlow.part($0.after, of: text, at: path, shown) } ?? [])
        table.found(ByteScan.hash(part), source, isProtocol: isProtocol)
      }
      guard left > 0 else { return }
      if isProtocol || ValueScan.isWorth(text, isString: isString) { note(text, rank: rank, nil) }
      guard isString else { return }
      TextTokens.forEach(text) { token in
        let part = text.extracting(token)
        guard left > 0, token.count < text.count, ValueWorth.isWorth(part),
          let around = ValueSurroundings(text, token)
        else { return }
        note(part, rank: 2, around)
      }
    }
  }

  /// Learns the header fields of the answer `n` that belong to no protocol.
  public mutating func learn(_ fields: HeaderFields, n: Int, done: Int64) {
    for i in fields.indices {
      let (name, value) = (fields.name(i), fields.value(i))
      guard ValueWorth.isWorth(value) else { continue }
      let key = ByteScan.string(name, 0..<name.count).lowercased()
      guard ValueScan.isOwn(key) else { continue }
      let path = ValuePath(steps: [.child("headers"), .child(key)])
      table.found(
        ByteScan.hash(value),
        .init(
          n: n, done: done, rank: 0, path: Array(path.description.utf8),
          before: [], after: []))
    }
  }

  /// Returns the values of a request sent at `t` that came from answers complete by then; notes what it says for the first time.
  ///
  /// `shown` is as for answers.
  public mutating func uses(
    in params: RawJSON, of method: String, at t: Int64, shown: [[UInt8]: [UInt8]] = [:]
  ) -> [ValueUse] {
    var uses: [ValueUse] = []
    var left = ValueFlow.requestLimit
    ValueScan.params(params, of: method) { text, isString, path, isProtocol in
      guard left > 0 else { return }
      left -= 1
      func use(_ hash: UInt64, _ at: ValueSurroundings?) -> Bool {
        guard let source = table.source(hash, at: t) else {
          table.said(hash)
          return false
        }
        var use = ValueUse(
          at: String(decoding: path, as: UTF8.self), from: source.n,
          path: String(decoding: source.path, as: UTF8.self))
        if source.rank == 2 {
          use.within = .init(
            before: String(decoding: source.before, as: UTF8.self),
            after: String(decoding: source.after, as: UTF8.self))
        }
        use.atWithin = at.map {
          .init(
            before: String(
              decoding: ValueFlow.part($0.before, of: text, at: path, shown), as: UTF8.self),
            after: String(
              decoding: ValueFlow.part($0.after, of: text, at: path, shown), as: UTF8.self))
        }
        uses.append(use)
        return true
      }
      let isWhole = isProtocol || ValueScan.isWorth(text, isString: isString)
      if isWhole, use(ByteScan.hash(text), nil) { return }
      guard isString else { return }
      var end = 0
      TextTokens.forEach(text) { token in
        // The part of a token that is a use itself says nothing more.
        guard left > 0, token.count < text.count, token.lowerBound >= end else { return }
        let part = text.extracting(token)
        guard ValueWorth.isWorth(part), let around = ValueSurroundings(text, token) else { return }
        left -= 1
        if use(ByteScan.hash(part), around) { end = token.upperBound }
      }
    }
    return uses
  }

  /// A part of a text as shown.
  private static func part(
    _ range: Range<Int>, of text: Span<UInt8>, at path: [UInt8], _ shown: [[UInt8]: [UInt8]]
  ) -> [UInt8] {
    guard !shown.isEmpty, let other = shown[path], other.count == text.count else {
      return Array(text, range)
    }
    return Array(other[range])
  }
}

extension [UInt8] {
  fileprivate init(_ text: Span<UInt8>, _ range: Range<Int>) {
    self = range.map { text[$0] }
  }
}
