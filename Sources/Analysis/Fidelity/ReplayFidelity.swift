import Basics
import Trace

/// How like a recording a replay was, from the traces of both: chains, think times, bursts, arguments, outcomes.
public struct ReplayFidelity: Sendable {
  /// Why two traces can't be held against each other.
  public enum Incomparable: Error, Hashable, Sendable, CustomStringConvertible {
    /// The second is not the trace of a replay.
    case noReplay
    /// No session of the replay is a copy of one of the recording.
    case noCommonSession

    /// One sentence: what, and what to do.
    public var description: String {
      switch self {
      case .noReplay:
        "it is not the trace of a replay that says what it copies; make one with `replay run --record`"
      case .noCommonSession:
        "no session of it is a copy of one of the recording; is it a replay of another trace?"
      }
    }
  }

  /// A demand on a faithful replay.
  public struct Gate: Hashable, Sendable {
    /// What is looked at.
    public var name: String
    /// What it is, with its unit.
    public var value: String
    /// What it should be; empty for what is only shown.
    public var limit: String
    /// Whether it is; `nil` for what is only shown.
    public var isMet: Bool?
  }

  /// Calls of a tool, then and now.
  public struct Outcomes: Hashable, Sendable {
    /// Well both times.
    public var okOK = 0
    /// Badly only now.
    public var okErr = 0
    /// Badly only then.
    public var errOK = 0
    /// Badly both times.
    public var errErr = 0
  }

  /// A window's index of dispersion of requests.
  public struct Dispersion: Hashable, Sendable {
    /// Length of the windows: `10s`.
    public var window: String
    /// That of the recording; `nil` where there are too few windows.
    public var recorded: Double?
    /// That of the replay.
    public var replayed: Double?
    /// Where that of a faithful replay lies, as its plan says.
    public var band: ClosedRange<Double>?
  }

  /// Sessions of the replay that are copies of recorded ones, and recorded ones that have a copy.
  public private(set) var sessions = 0
  /// Recorded sessions with a copy.
  public private(set) var sources = 0
  /// Copies whose calls are those of the recording, each sent after the answers it waits for.
  public private(set) var exact = 0
  /// What was wrong with some of the others.
  public private(set) var faults: [String] = []
  /// Calls that were sent before an answer came that they wait for.
  public private(set) var early = 0
  /// Realised minus planned think time without sign, milliseconds.
  public private(set) var thinkError = Distribution([])
  /// Root mean square of requests per 100 ms, the plan re-timed with this run's answers against what was sent, by the busiest 100 ms.
  public private(set) var executionRMSE: Double?
  /// By window.
  public private(set) var dispersion: [Dispersion] = []
  /// Most calls in flight, then and now.
  public private(set) var peakCalls = (recorded: 0, replayed: 0)
  /// Calls with the recorded arguments; those that differ where a value of an answer was to be taken; those that differ elsewhere.
  public private(set) var arguments = (verbatim: 0, rewritten: 0, other: 0)
  /// By tool.
  public private(set) var tools: [String: Outcomes] = [:]

  let origin: ReplayOrigin
  /// True when every session of the recording has one copy at most, at the recorded pace.
  private(set) var isOnce = true
  private static let bin: Int64 = 100_000_000

  /// Holds a replay's trace against that of the recording, both read in full.
  ///
  /// - Throws: `Incomparable`.
  public init(_ recording: TraceContents, _ replay: TraceContents) throws(Incomparable) {
    guard let origin = ReplayOrigin(replay.headers.first) else { throw .noReplay }
    self.origin = origin
    let known = Dictionary(
      recording.sessions.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
    var errors: [Int64] = []
    var (sent, due): ([Int64], [Int64]) = ([], [])
    var copies: [String: Int] = [:]
    for session in replay.sessions {
      guard let source = ReplayOrigin.Source(session), let original = known[source.session]
      else { continue }
      sessions += 1
      copies[source.session, default: 0] += 1
      let pairing = SessionPairing(original, session, isUnderWay: source.start < 0)
      judgeChain(pairing, "\(source.session) copy \(source.clone)")
      errors += thinkErrors(pairing)
      layOut(pairing, start: source.start, &sent, &due)
      compare(pairing)
    }
    guard sessions > 0 else { throw .noCommonSession }
    sources = copies.count
    isOnce = copies.values.allSatisfy { $0 == 1 } && origin.thinkScale == 1
    thinkError = Distribution(milliseconds: errors.map { abs($0) })
    executionRMSE = ReplayFidelity.rmse(sent, due)
    addBursts(recording, replay)
  }

  private mutating func judgeChain(_ pairing: SessionPairing, _ name: String) {
    var fault: String?
    if let call = pairing.missing.first {
      fault = "\(name): \(call.tool ?? "?") (n\(call.n)) was not sent"
    } else if let call = pairing.extra.first {
      fault = "\(name): \(call.tool ?? "?") was sent, and is not in the recording"
    }
    for pair in pairing.pairs.values.sorted(by: { $0.recorded.n < $1.recorded.n })
    where pair.recorded.isLogicalCall {
      for n in pairing.predecessors(of: pair.recorded) {
        guard let answered = pairing.answered(n), answered > pair.replayed.t else { continue }
        early += 1
        fault =
          fault
          ?? "\(name): \(pair.recorded.tool ?? "?") (n\(pair.recorded.n)) was sent before the answer to n\(n) came"
        break
      }
    }
    if let fault { if faults.count < 5 { faults.append(fault) } } else { exact += 1 }
  }

  /// Realised minus planned think time of the calls that waited for answers.
  private func thinkErrors(_ pairing: SessionPairing) -> [Int64] {
    pairing.pairs.values.compactMap { pair in
      guard pair.recorded.isLogicalCall, let expected = expected(pair, pairing) else { return nil }
      return pair.replayed.t - expected
    }
  }

  /// When a request was to be sent by this run's own answers; `nil` when it waited for none.
  private func expected(_ pair: SessionPairing.Pair, _ pairing: SessionPairing) -> Int64? {
    let ready = pairing.predecessors(of: pair.recorded).compactMap { pairing.answered($0) }.max()
    guard let ready, ready < .max, let think = pair.recorded.think else { return nil }
    return ready + origin.planned(think)
  }

  private func layOut(
    _ pairing: SessionPairing, start: Int64, _ sent: inout [Int64], _ due: inout [Int64]
  ) {
    for pair in pairing.pairs.values {
      let offset = pair.recorded.t - pairing.recorded.start
      let free = start >= 0 ? start + origin.planned(offset) : pair.replayed.t
      sent.append(pair.replayed.t)
      due.append(expected(pair, pairing) ?? free)
    }
  }

  private static func rmse(_ sent: [Int64], _ due: [Int64]) -> Double? {
    guard let first = (sent + due).min(), let last = (sent + due).max() else { return nil }
    func bins(_ times: [Int64]) -> [Int64: Double] {
      times.reduce(into: [:]) { $0[($1 - first) / bin, default: 0] += 1 }
    }
    let (a, b) = (bins(sent), bins(due))
    guard let peak = b.values.max(), peak > 0 else { return nil }
    var squares = 0.0
    for at in Set(a.keys).union(b.keys) {
      let difference = a[at, default: 0] - b[at, default: 0]
      squares += difference * difference
    }
    return (squares / Double((last - first) / bin + 1)).squareRoot() / peak
  }

  private mutating func compare(_ pairing: SessionPairing) {
    let old = outcomes(pairing.recorded)
    let new = outcomes(pairing.replayed)
    for pair in pairing.pairs.values where pair.recorded.isLogicalCall {
      let (then, now) = (
        SessionPairing.arguments(pair.recorded), SessionPairing.arguments(pair.replayed)
      )
      if then == now {
        arguments.verbatim += 1
      } else if let then, let now, ReplayFidelity.isRewritten(then, now, pair) {
        arguments.rewritten += 1
      } else {
        arguments.other += 1
      }
      let tool = pair.recorded.tool ?? "?"
      switch (old[pair.recorded.n] == .ok, new[pair.replayed.n] == .ok) {
      case (true, true): tools[tool, default: Outcomes()].okOK += 1
      case (true, false): tools[tool, default: Outcomes()].okErr += 1
      case (false, true): tools[tool, default: Outcomes()].errOK += 1
      case (false, false): tools[tool, default: Outcomes()].errErr += 1
      }
    }
  }

  private func outcomes(_ session: RecordedSession) -> [Int: Outcome] {
    Dictionary(
      session.calls.map { ($0.request.n, $0.outcome) }, uniquingKeysWith: { a, _ in a })
  }

  /// Whether arguments differ only at places of which the trace says that they take values of answers.
  private static func isRewritten(
    _ then: JSONValue, _ now: JSONValue, _ pair: SessionPairing.Pair
  ) -> Bool {
    let uses = (pair.replayed.uses?.array ?? []) + (pair.recorded.uses?.array ?? [])
    // Behind `#` is JSON inside a text: the text as a whole is another one.
    let places = uses.compactMap { $0["at"]?.string }.map { $0.prefix { $0 != "#" } }
    return JSONDifference.places(then, now, at: "/arguments").allSatisfy { different in
      places.contains { different == $0 || different.hasPrefix($0 + "/") }
    }
  }

  private mutating func addBursts(_ recording: TraceContents, _ replay: TraceContents) {
    func times(_ contents: TraceContents) -> [Int64] {
      contents.allMessages.flatMap(\.requests).filter { $0.dir == .c2s && $0.t >= 0 }.map(\.t)
    }
    let (then, now) = (times(recording), times(replay))
    dispersion = IndexOfDispersion.windows.map { name, length in
      Dispersion(
        window: name, recorded: IndexOfDispersion.of(times: then, window: length),
        replayed: IndexOfDispersion.of(times: now, window: length, from: 0), band: origin.band[name]
      )
    }
    func peak(_ contents: TraceContents) -> Int {
      PeakOverlap.of(
        contents.sessions.flatMap(\.calls).map { ($0.start, $0.done ?? $0.start) })
    }
    peakCalls = (peak(recording), peak(replay))
  }
}
