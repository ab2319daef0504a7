import Trace

/// Where a line stands in the file of its recorder.
public struct LinePlace: Hashable, Sendable {
  /// Offset of its first byte.
  public var offset: Int
  /// Bytes without the line end.
  public var length: Int

  /// Names a place.
  public init(offset: Int, length: Int) {
    self.offset = offset
    self.length = length
  }
}

/// A line that carries a message, or what an event of a stream was besides.
struct RetoldLine {
  var place: LinePlace
  /// Of an answer: the id of its request, which its own line lacks.
  var id: MessageToken?
}

/// What the lines of a trace say of one HTTP exchange; times count from the recorder's `t0`.
struct RetoldExchange {
  /// What the end of an exchange is known by.
  struct End {
    var by: ResponseLine.EndedBy
    var isAnswered: Bool
  }

  /// Number in the recorder's trace.
  var x: Int
  /// Its connection there.
  var conn: Int
  /// HTTP/2 stream.
  var stream: Int?
  var role = RequestContent.Role.messages
  /// The recorder's name of its session.
  var session: String?
  /// Target, where an audit of the exchange says it.
  var target: String?
  /// Messages of the request, or the http line; index into the view's lines.
  var request: [Int] = []
  var isBatch = false
  var startedAt = Int64.max
  var sentAt: Int64?
  /// When the response began, as far as lines tell.
  var headAt: Int64?
  var status: Int?
  /// The line that has the response's header fields.
  var head: Int?
  /// Messages of a body that is no stream.
  var body: [Int] = []
  /// The line of a body that is no message.
  var plainBody: Int?
  var isStream = false
  /// True where the answer to a request of it came in another exchange.
  var isLeftOpen = false
  /// When it was over, as far as lines tell, and when the last of it was told.
  var endedAt = Int64.min
  var toldAt = Int64.min
  var end: End?
  /// True where the client gave up on a request of it by a notification.
  var isCancelled = false
  /// Number of its first and last line.
  var order: Int
  var lastOrder: Int
}

/// Something that happened, by where in time it stands.
struct RetoldStep {
  enum Kind: UInt8 {
    /// A line that no exchange has a part in.
    case line
    case request
    case head
    case event
    case end
  }

  var at: Int64
  /// Number of the line that tells it.
  var order: Int
  var kind: Kind
  /// True for what is told for the time at which the client gave up on it, as is the notification that says so.
  var isLate = false
  /// Number of the recorder.
  var view: Int32 = 0
  /// The exchange; index into the view's.
  var exchange: Int32 = 0
  /// The first of its lines, and how many they are.
  var line: Int32 = 0
  var count: Int32 = 1

  /// In time, and as the recorder told them where that is the same.
  static func isBefore(_ a: RetoldStep, _ b: RetoldStep) -> Bool {
    if a.at != b.at { return a.at < b.at }
    if a.view != b.view { return a.view < b.view }
    if a.isLate != b.isLate { return b.isLate }
    if a.order != b.order { return a.order < b.order }
    return a.kind.rawValue < b.kind.rawValue
  }
}
