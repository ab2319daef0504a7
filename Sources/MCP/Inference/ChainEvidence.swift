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
  /// What only the protocol passes back.
  public internal(set) var tokens: [ChainToken] = []
  /// Hashes of values that are no coincidence.
  public internal(set) var values: [UInt64] = []
  /// Hashes of other texts: what an agent works on.
  public internal(set) var traits: [UInt64] = []

  /// Creates evidence.
  public init(x: Int, t: Int64, conn: Int, kind: Kind) {
    self.x = x
    self.t = t
    self.conn = conn
    self.kind = kind
  }

  /// Lets go of what is noted elsewhere.
  mutating func forgetValues() {
    tokens = []
    values = []
    traits = []
  }

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

/// What an answer tells of the agent that it went to.
public struct AnswerEvidence: Sendable {
  /// Last byte, nanoseconds of the trace.
  public var done: Int64
  /// What only the protocol passes back.
  public internal(set) var tokens: [ChainToken] = []
  /// Hashes of values that are no coincidence.
  public internal(set) var values: [UInt64] = []

  /// Creates evidence.
  public init(done: Int64) { self.done = done }
}

extension ChainEvidence {
  /// Values of one request, and of one answer, that are looked at.
  fileprivate static let limit = 256

  /// Takes in what a request's params say.
  public mutating func read(_ params: RawJSON) {
    var left = ChainEvidence.limit
    var evidence = self
    ValueScan.params(params) { text, isString, path, isProtocol in
      guard left > 0 else { return }
      left -= 1
      if isProtocol {
        evidence.tokens.append(ChainToken(text, path))
      } else if ValueScan.isWorth(text, isString: isString) {
        evidence.values.append(ByteScan.hash(text))
      } else if isString {
        var isTelling = false
        TextTokens.forEach(text) { token in
          guard token.count < text.count, ValueWorth.isWorth(text.extracting(token)) else { return }
          isTelling = true
          evidence.values.append(ByteScan.hash(text.extracting(token)))
        }
        if !isTelling, text.count >= 4 { evidence.traits.append(~ByteScan.hash(text)) }
      }
    }
    self = evidence
  }
}

extension AnswerEvidence {
  /// Takes in what an answer gave out; `isStructured` says whether it has `structuredContent`.
  public mutating func read(_ result: RawJSON, of method: String, isStructured: Bool) {
    var left = ChainEvidence.limit
    var evidence = self
    ValueScan.result(result, of: method, isStructured: isStructured) {
      text, isString, path, isProtocol in
      guard left > 0 else { return }
      left -= 1
      if isProtocol {
        evidence.tokens.append(ChainToken(text, path))
      } else if ValueScan.isWorth(text, isString: isString) {
        evidence.values.append(ByteScan.hash(text))
      } else if isString {
        TextTokens.forEach(text) { token in
          guard left > 0, token.count < text.count, ValueWorth.isWorth(text.extracting(token))
          else { return }
          left -= 1
          evidence.values.append(ByteScan.hash(text.extracting(token)))
        }
      }
    }
    self = evidence
  }
}

extension ChainToken {
  /// The kind is the last name of the path: `requestState`, `taskId`, `cursor` and `nextCursor`.
  fileprivate init(_ text: Span<UInt8>, _ path: Span<UInt8>) {
    let last = path.isEmpty ? 0 : path[path.count - 1]
    // Of the names only `requestState` ends in `e` and only `taskId` in `d`.
    grounds = last == 0x65 ? .requestState : last == 0x64 ? .task : .dataFlow
    hash = ByteScan.hash(text) ^ UInt64(grounds.rawValue) &* 0x9e37_79b9_7f4a_7c15
  }
}
