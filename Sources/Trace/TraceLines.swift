import Basics

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
  /// When the last message was there, with those taken.
  private(set) var latest: Int64?
  private var events: [TraceEvent] = []
  private var openLines: OpenLines?
  private let form: Form

  /// Creates an empty list; with `keepsOpen` it knows what is open after the lines so far, with those taken.
  public init(_ form: Form, keepsOpen: Bool = false) {
    self.form = form
    openLines = keepsOpen ? OpenLines() : nil
    text = JSONWriter(capacity: form == .text ? 2 * TraceWriter.flushSize : 0)
  }

  /// The place behind the lines so far.
  public var end: Mark { Mark(bytes: text.bytes.count, events: events.count) }

  /// The lines that a next segment begins with: connections and sessions that are open.
  public var open: [TraceEvent] { openLines?.lines ?? [] }

  /// Appends a line.
  public func append(_ line: ConnectionLine) {
    openLines?.note(line)
    put(line)
  }
  /// Appends a line.
  public func append(_ line: SessionLine) {
    openLines?.note(line)
    put(line)
  }
  /// Appends a line.
  public func append(_ line: RequestLine) {
    if line.isLogicalCall { logicalCalls += 1 }
    latest = line.t
    openLines?.note(line.session, line.n)
    put(line)
  }
  /// Appends a line.
  public func append(_ line: ResponseLine) {
    latest = line.done ?? line.t
    openLines?.note(line.session, line.n)
    put(line)
  }
  /// Appends a line.
  public func append(_ line: NotificationLine) {
    latest = line.t
    openLines?.note(line.session, line.n)
    put(line)
  }
  /// Appends a line.
  public func append(_ line: HTTPLine) {
    openLines?.note(line.session, line.n)
    put(line)
  }
  /// Appends a line.
  public func append(_ line: SSELine) { put(line) }
  /// Appends a line.
  public func append(_ line: ExchangeLine) { put(line) }
  /// Appends a line.
  public func append(_ line: LossLine) { put(line) }
  /// Appends a line.
  public func append(_ line: EndLine) {
    openLines?.note(line)
    put(line)
  }

  /// Appends a line of any type.
  public func append(_ event: TraceEvent) {
    switch event {
    case .request(let line): return append(line)
    case .connection(let line): return append(line)
    case .session(let line): return append(line)
    case .end(let line): return append(line)
    default: openLines?.note(event)
    }
    count += 1
    counts.add(event)
    guard form == .text else { return events.append(event) }
    event.write(to: &text)
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
