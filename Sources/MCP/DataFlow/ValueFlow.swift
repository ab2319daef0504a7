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
  /// The latest blocks of header fields that had nothing to learn: the answers of a server come with few.
  private var plain: HeaderBlock?
  private var plainBefore: HeaderBlock?

  /// Values of one answer, and of one request, that are looked at.
  private static let answerLimit = 512
  private static let requestLimit = 256
  /// Larger blocks are not remembered.
  private static let blockLimit = 2048

  /// Creates the flow of a new session.
  public init() {}

  /// Memory in use, bytes.
  public var size: Int { table.size }

  /// How often older values were forgotten for new ones.
  public var losses: Int { table.losses }

  /// Learns the values of the answer `n`, complete at `done`, to a request of that method.
  ///
  /// `isStructured` says whether the result has `structuredContent`. `shown` has the texts, by path, of which a trace shows another
  /// one of the same length: surroundings are taken from that.
  public mutating func learn(
    _ result: RawJSON, of method: String, isStructured: Bool, n: Int, done: Int64,
    shown: [[UInt8]: [UInt8]] = [:]
  ) {
    var left = ValueFlow.answerLimit
    ValueScan.result(result, of: method, isStructured: isStructured) {
      text, words, path, kind in
      guard left > 0 else { return }
      if kind != nil || ValueScan.isWorth(text, isString: words != nil) {
        left -= 1
        let rank: UInt8 = ByteScan.firstIndex(of: 0x23, in: path, from: 0) == nil ? 0 : 1
        table.found(
          ByteScan.hash(text), .init(n: n, done: done, rank: rank), path: path,
          isProtocol: kind != nil)
      }
      guard let words else { return }
      TextTokens.forEach(text, behind: words) { token in
        guard left > 0, token.count < text.count else { return }
        let part = text.extracting(token)
        guard ValueWorth.isWorth(part), let around = ValueSurroundings(text, token) else { return }
        left -= 1
        let origin = ValueTable.Origin(n: n, done: done, rank: 2)
        if let other = ValueFlow.other(text, at: path, shown) {
          table.found(ByteScan.hash(part), origin, path: path, around, of: other.span)
        } else {
          table.found(ByteScan.hash(part), origin, path: path, around, of: text)
        }
      }
    }
  }

  /// Learns the header fields of the answer `n` that belong to no protocol.
  public mutating func learn(_ fields: HeaderFields, n: Int, done: Int64) {
    let block = fields.block
    // What varies between the messages of a block is a length, which is not the server's own.
    if block === plain || block === plainBefore { return }
    var isPlain = true
    for i in fields.indices {
      let (name, value) = (fields.name(i), fields.value(i))
      guard ValueWorth.isWorth(value), ValueScan.isOwn(name) else { continue }
      let key = ByteScan.string(name, 0..<name.count).lowercased()
      let path = Array(ValuePath(steps: [.child("headers"), .child(key)]).description.utf8)
      table.found(ByteScan.hash(value), .init(n: n, done: done, rank: 0), path: path.span)
      isPlain = false
    }
    if isPlain, block.size <= ValueFlow.blockLimit { (plain, plainBefore) = (block, plain) }
  }

  /// Returns the values of a request sent at `t` that came from answers complete by then; notes what it says for the first time.
  ///
  /// `shown` is as for answers.
  public mutating func uses(
    in params: RawJSON, at t: Int64, shown: [[UInt8]: [UInt8]] = [:]
  ) -> [ValueUse] {
    var uses: [ValueUse] = []
    var left = ValueFlow.requestLimit
    ValueScan.params(params) { text, words, path, kind in
      guard left > 0 else { return }
      left -= 1
      if kind != nil || ValueScan.isWorth(text, isString: words != nil) {
        if var use = table.use(ByteScan.hash(text), at: t) {
          use.at = ByteScan.string(path, 0..<path.count)
          return uses.append(use)
        }
      }
      guard let words else { return }
      var end = 0
      TextTokens.forEach(text, behind: words) { token in
        // The part of a token that is a use itself says nothing more.
        guard left > 0, token.count < text.count, token.lowerBound >= end else { return }
        let part = text.extracting(token)
        guard ValueWorth.isWorth(part), let around = ValueSurroundings(text, token) else { return }
        left -= 1
        guard var use = table.use(ByteScan.hash(part), at: t) else { return }
        use.at = ByteScan.string(path, 0..<path.count)
        use.atWithin =
          if let other = ValueFlow.other(text, at: path, shown) {
            around.texts(other.span)
          } else {
            around.texts(text)
          }
        uses.append(use)
        end = token.upperBound
      }
    }
    return uses
  }

  /// The text that is shown in place of another; `nil` when it is shown itself.
  private static func other(
    _ text: Span<UInt8>, at path: Span<UInt8>, _ shown: [[UInt8]: [UInt8]]
  ) -> [UInt8]? {
    guard !shown.isEmpty else { return nil }
    var key: [UInt8] = []
    ByteScan.append(path, to: &key)
    guard let other = shown[key], other.count == text.count else { return nil }
    return other
  }
}
