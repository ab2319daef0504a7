import Basics
import MCP
import Trace

/// What one recorder's lines tell of the order in which things happened, for comparing its clock with another's.
///
/// Values that answers gave out and that came back in requests, by hash; and the ids of explicit sessions, which clients count up.
/// Times count from 1970 by the recorder's clock.
public struct ClockEvidence: Sendable {
  /// When a value was first given out, and first sent by a client.
  struct Sighting: Sendable {
    var answered = Int64.max
    var sent = Int64.max
  }

  /// A request of an explicit session.
  struct Step: Sendable {
    var id: Int64
    var t: Int64
  }

  private(set) var values: [UInt64: Sighting] = [:]
  /// By hash of the session's key.
  private(set) var sessions: [UInt64: [Step]] = [:]
  private var steps = 0

  /// Values that are remembered, and requests of explicit sessions.
  private static let limit = 1 << 20

  init() {}

  /// Notes what a client sent at `t`.
  mutating func note(_ line: RequestLine, at t: Int64) {
    if let id = line.headers?.first(.mcpSessionID) {
      let key = ByteScan.hash(id.utf8Span.span)
      see(key, \.sent, t)
      if let number = Int64(line.id.text), steps < ClockEvidence.limit {
        sessions[key, default: []].append(Step(id: number, t: t))
        steps += 1
      }
    }
    guard let params = line.params else { return }
    var evidence = ChainEvidence(x: 0, t: t, conn: 0, kind: .stream)
    evidence.read(params)
    for token in evidence.tokens { see(token.hash, \.sent, t) }
    for value in evidence.values { see(value, \.sent, t) }
  }

  /// Notes what the server answered to `method`, complete at `done`.
  mutating func note(_ line: ResponseLine, to method: String, at done: Int64) {
    if let id = line.headers?.first(.mcpSessionID), method == Method.initialize {
      see(ByteScan.hash(id.utf8Span.span), \.answered, done)
    }
    // Lists say the same to all.
    guard let result = line.result, !method.hasSuffix("/list") else { return }
    var evidence = AnswerEvidence(done: done)
    evidence.read(
      result, of: method, isStructured: result.member("structuredContent") != nil)
    for token in evidence.tokens { see(token.hash, \.answered, done) }
    for value in evidence.values { see(value, \.answered, done) }
  }

  private mutating func see(
    _ value: UInt64, _ what: WritableKeyPath<Sighting, Int64>, _ t: Int64
  ) {
    if values[value] == nil, values.count >= ClockEvidence.limit { return }
    let old = values[value, default: Sighting()][keyPath: what]
    values[value, default: Sighting()][keyPath: what] = min(old, t)
  }
}
