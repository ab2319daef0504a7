public import Basics

/// Lines of a trace in the making, in order: as text for a file, or as values for whoever looks at them.
///
/// As text a line is written where it is made, and costs no memory of its own.
public final class TraceLines {
  /// What is kept of a line.
  public enum Form: Sendable {
    /// Its text.
    case text
    /// The value.
    case events
  }

  /// A place between two lines.
  public struct Mark: Sendable {
    fileprivate var bytes: Int
    fileprivate var events: Int
  }

  /// Whether text is kept.
  var isText: Bool { form == .text }
  /// Bytes of text that wait.
  public var byteCount: Int { text.bytes.count }
  /// Logical calls (`RequestLine.isLogicalCall`) so far, with those taken.
  public private(set) var logicalCalls = 0

  /// The text of the lines that wait.
  var text: JSONWriter
  /// How many wait.
  private(set) var count = 0
  /// Those that wait, by type.
  private(set) var counts = LineCounts()
  /// `t` of the latest request, with those taken.
  private(set) var latest: Int64?
  private var events: [TraceEvent] = []
  private let form: Form

  /// Creates an empty list.
  public init(_ form: Form) {
    self.form = form
    text = JSONWriter(capacity: form == .text ? 2 * TraceWriter.flushSize : 0)
  }

  /// The place behind the lines so far.
  public var end: Mark { Mark(bytes: text.bytes.count, events: events.count) }

  /// Appends a line.
  public func append(_ line: ConnectionLine) { put(line) }
  /// Appends a line.
  public func append(_ line: SessionLine) { put(line) }
  /// Appends a line.
  public func append(_ line: RequestLine) {
    if line.isLogicalCall { logicalCalls += 1 }
    latest = line.t
    put(line)
  }
  /// Appends a line.
  public func append(_ line: ResponseLine) { put(line) }
  /// Appends a line.
  public func append(_ line: NotificationLine) { put(line) }
  /// Appends a line.
  public func append(_ line: HTTPLine) { put(line) }
  /// Appends a line.
  public func append(_ line: SSELine) { put(line) }
  /// Appends a line.
  public func append(_ line: ExchangeLine) { put(line) }
  /// Appends a line.
  public func append(_ line: LossLine) { put(line) }
  /// Appends a line.
  public func append(_ line: EndLine) { put(line) }

  /// Appends a line of a type that this version does not know, verbatim.
  public func append(unknown line: RawJSON, type: String) {
    let event = TraceEvent.unknown(type: type, line: line)
    count += 1
    counts.add(event)
    guard form == .text else { return events.append(event) }
    text.append(line)
    text.endLine()
  }

  /// Inserts lines of losses at a place. O(n) in what lies behind it.
  public func insert(_ losses: [LossLine], at mark: Mark) {
    guard !losses.isEmpty else { return }
    guard form == .text else {
      count += losses.count
      for _ in losses { counts.add(.loss) }
      return events.insert(contentsOf: losses.map { .loss($0) }, at: mark.events)
    }
    let behind = text.cut(at: mark.bytes)
    for line in losses { put(line) }
    text.append(behind)
  }

  /// Takes the values that wait.
  public func takeEvents() -> [TraceEvent] {
    count = 0
    counts.removeAll()
    var taken: [TraceEvent] = []
    swap(&taken, &events)
    return taken
  }

  /// Forgets the lines that wait and keeps the memory.
  func removeAll() {
    text.removeAll(keepingAtMost: TraceWriter.memoryKept)
    count = 0
    counts.removeAll()
  }

  private func put<Line: TraceLine>(_ line: Line) {
    count += 1
    counts.add(Line.type)
    guard form == .text else { return events.append(line.asEvent) }
    line.writeLine(to: &text)
    text.endLine()
  }
}
