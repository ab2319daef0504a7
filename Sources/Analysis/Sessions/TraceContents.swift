public import Trace

/// A whole trace, sorted into sessions.
///
/// Lines of a trace stand in the order in which they were complete, and a session's line may follow its first
/// messages; so lines are gathered first and grouped when the file has ended.
public struct TraceContents: Sendable {
  /// How much of every message is kept.
  public enum Detail: Sendable {
    /// All that the trace holds.
    case full
    /// Without payloads, header fields and unknown keys: enough for figures and timelines.
    case outline
  }

  /// The header of the file, then those of later segments in it.
  public internal(set) var headers: [HeaderLine] = []
  /// Connections by number; the last line of each.
  public internal(set) var connections: [Int: ConnectionLine] = [:]
  /// Sessions in order of `t`.
  public internal(set) var sessions: [RecordedSession] = []
  /// Messages and exchanges that belong to no session, in order of time.
  public internal(set) var outside = SessionMessages()
  /// What SSE streams carried besides messages, in order of time.
  public internal(set) var streamMarks: [SSELine] = []
  /// HTTP exchanges as the auditor sees them (`--exchanges`), in order of time.
  public internal(set) var exchanges: [ExchangeLine] = []
  /// What was not understood or not kept, in order of time.
  public internal(set) var losses: [LossLine] = []
  /// The footer, of segments their sum; `nil` when the recorder did not close the file.
  public internal(set) var footer: FooterLine?
  /// Lines of types that this version does not know.
  public internal(set) var unknownLines = 0
  /// Number of lines.
  public internal(set) var lines = 0
  /// Bytes of a last line that was cut off.
  public internal(set) var tornTail = 0

  init() {}

  /// Reads the trace at `path` (`-` is standard input).
  ///
  /// - Throws: `TraceFormatError` of the first line that cannot be read; `.notATrace` for a file without a header.
  public init(path: String, detail: Detail = .full) throws(TraceFormatError) {
    let reader = try TraceReader(path: path)
    var gathering = TraceGathering(detail: detail)
    while let event = try reader.next() { gathering.add(event) }
    guard gathering.hasHeader else { throw TraceFormatError(.notATrace, line: 1, offset: 0) }
    self = gathering.contents(lines: reader.line, tornTail: reader.tornTail)
  }

  /// Sorts events that are in memory.
  public init(events: [TraceEvent], detail: Detail = .full) {
    var gathering = TraceGathering(detail: detail)
    for event in events { gathering.add(event) }
    self = gathering.contents(lines: events.count, tornTail: 0)
  }

  /// The session of that name, else `nil`.
  public func session(_ name: String) -> RecordedSession? {
    sessions.first { $0.name == name }
  }

  /// Every loss counter by name: the footer's, or the sum of the loss lines where there is no footer.
  public var loss: [String: FooterLine.Loss] {
    if let footer { return footer.loss }
    var sums: [String: FooterLine.Loss] = [:]
    for line in losses {
      var sum = sums[line.kind] ?? FooterLine.Loss(count: 0, bytes: 0)
      sum.count &+= 1
      sum.bytes &+= line.bytes ?? 0
      sums[line.kind] = sum
    }
    return sums
  }

  /// The messages of all sessions and of none.
  public var allMessages: [SessionMessages] { sessions.map(\.messages) + [outside] }
}
