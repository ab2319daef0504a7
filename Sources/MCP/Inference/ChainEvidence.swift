public import Basics

/// What a request without a session id tells of the agent that sent it.
public struct ChainEvidence: Sendable {
  /// What is asked.
  public enum Kind: Hashable, Sendable {
    /// `initialize`, or a `server/discover`: an agent begins.
    case beginning(id: Int64?)
    /// Another request; `id` where it is an integer.
    case request(id: Int64?)
    /// A notification; the id of the request that it cancels.
    case notification(isInitialized: Bool, cancels: Int64?)
    /// A GET that asks for a stream.
    case stream
  }

  /// The exchange.
  public var x: Int
  /// First byte, nanoseconds of the trace.
  public var t: Int64
  /// The connection.
  public var conn: Int
  /// What is asked.
  public var kind: Kind
  /// True for a `tools/call`: what an agent is known by in the end.
  public var isCall = false
  /// Hash of the trace id of a `traceparent`.
  public var trace: UInt64?
  /// What its params say.
  public internal(set) var said = ChainValues()

  /// Creates evidence.
  public init(x: Int, t: Int64, conn: Int, kind: Kind) {
    self.x = x
    self.t = t
    self.conn = conn
    self.kind = kind
  }

  /// Takes in what a request's params say.
  public mutating func read(_ params: RawJSON) {
    var said = said
    ValueScan.params(params) { text, words, _, token in said.add(text, words, token) }
    self.said = said
  }

  /// Lets go of what is noted elsewhere.
  mutating func forgetValues() { said = ChainValues() }

  var id: Int64? {
    switch kind {
    case .beginning(let id), .request(let id): id
    case .notification, .stream: nil
    }
  }
}

/// A value that only the protocol passes back: a request state, a task id, a cursor.
public struct ChainToken: Hashable, Sendable {
  /// Hash of the value and its kind.
  public internal(set) var hash: UInt64
  var grounds: AgentChain.Grounds
}

/// What the values of one message tell of an agent.
public struct ChainValues: Sendable {
  /// What only the protocol passes back.
  public private(set) var tokens: [ChainToken] = []
  /// Hashes of values that are no coincidence.
  public private(set) var values: [UInt64] = []
  /// Hashes of other texts: what an agent works on.
  public private(set) var traits: [UInt64] = []
  /// Values that are still looked at.
  private var left = ChainValues.limit

  private static let limit = 256

  /// Nothing yet.
  init() {}

  /// Takes in one value.
  mutating func add(_ text: Span<UInt8>, _ words: Int?, _ token: ValueScan.Token?) {
    guard left > 0 else { return }
    left -= 1
    if let token { return tokens.append(ChainToken(text, token)) }
    if ValueScan.isWorth(text, isString: words != nil) {
      return values.append(ByteScan.hash(text))
    }
    guard let words else { return }
    var isTelling = false
    TextTokens.forEach(text, behind: words) { part in
      guard left > 0, part.count < text.count, ValueWorth.isWorth(text.extracting(part)) else {
        return
      }
      left -= 1
      isTelling = true
      values.append(ByteScan.hash(text.extracting(part)))
    }
    if !isTelling, text.count >= 4 { traits.append(~ByteScan.hash(text)) }
  }
}

/// What an answer tells of the agent that it went to.
public struct AnswerEvidence: Sendable {
  /// Last byte, nanoseconds of the trace.
  public var done: Int64
  /// What its result gives out.
  public internal(set) var given = ChainValues()

  /// Creates evidence.
  public init(done: Int64) { self.done = done }

  /// Takes in what an answer gave out; `isStructured` says whether it has `structuredContent`.
  public mutating func read(_ result: RawJSON, of method: String, isStructured: Bool) {
    var given = given
    ValueScan.result(result, of: method, isStructured: isStructured) { text, words, _, token in
      given.add(text, words, token)
    }
    self.given = given
  }
}

extension ChainToken {
  fileprivate init(_ text: Span<UInt8>, _ kind: ValueScan.Token) {
    grounds =
      switch kind {
      case .requestState: .requestState
      case .task: .task
      case .cursor: .dataFlow
      }
    hash = ByteScan.hash(text) ^ UInt64(grounds.rawValue) &* 0x9e37_79b9_7f4a_7c15
  }
}
