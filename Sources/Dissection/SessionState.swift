import Basics
import MCP
import Trace
import Wire

/// A request whose end has not been written yet.
final class OpenRequest {
  let n: Int
  /// First byte.
  let t: Int64
  let id: MessageToken
  let method: String
  let tool: String?
  let place: CausalOrder.Place?
  let isAgent: Bool
  let x: Int?
  let conn: Int
  /// What its rounds say alike (`Conversation.said`).
  var said: UInt64?
  /// Its progress token.
  var progressToken: MessageToken?
  /// The notification that cancelled it, and when.
  var cancelledBy: Int?
  var cancelledAt: Int64?
  /// The `n` that its response line will have: taken when the client gave up, for later requests wait no longer.
  var responseN: Int?
  /// True once its response line is written.
  var isClosed = false

  init(
    n: Int, t: Int64, id: MessageToken, method: String, tool: String?, place: CausalOrder.Place?,
    isAgent: Bool,
    x: Int?, conn: Int
  ) {
    self.n = n
    self.t = t
    self.id = id
    self.method = method
    self.tool = tool
    self.place = place
    self.isAgent = isAgent
    self.x = x
    self.conn = conn
  }
}

/// One MCP session under way (or, with an empty name, the lines that belong to none).
final class SessionState {
  /// `s1`; `nil` for the lines that belong to no session.
  let name: String?
  /// What has been written of it last.
  var line: SessionLine
  /// The key as on the wire; the line has its surrogate.
  let wireKey: String?
  /// The agent whose session it is thought to be; `nil` for explicit ones.
  var agent: AgentInference.Agent?
  /// Order and turns of the client's messages.
  var order: CausalOrder
  /// Requests without a response line, by direction.
  private var openC2S = OpenRequests()
  private var openS2C = OpenRequests()
  /// Progress tokens of the client's requests.
  private var progressTokens = ProgressTokens()
  /// Cursors that answers gave out, by value: the answer's `n`.
  var cursors: [String: Int] = [:]
  /// Requests answered `input_required`, by the state to echo.
  var requestStates: [String: OpenRequest] = [:]
  /// Questions that wait for another round, latest at the end.
  var questions: [OpenQuestion] = []
  /// Calls that became tasks, by the task's id.
  var tasks: [String: OpenRequest] = [:]
  /// Answers to `initialize` and `server/discover`, by `n`.
  private var handshakes: Set<Int> = []
  /// The highest of these.
  private var latestHandshake = 0
  /// Tools that a `tools/list` answer named.
  private(set) var listedTools: Set<String> = []
  /// The latest answered call, until something else follows it.
  var lastCall: (tool: String, done: Int64)?
  /// Client's last message.
  var lastActivity: Int64
  /// Exchanges under way.
  var openExchanges = 0
  /// Connections that carried it last, latest at the end.
  private(set) var conns: [Int] = []
  /// True once the recording's end cut an exchange of it.
  var isCut = false
  /// When and how the protocol ended it.
  var ended: (how: EndLine.How, t: Int64)?
  /// True once its line was written.
  var isAnnounced = false
  /// The session that its client began when this one was over.
  weak var successor: SessionState?
  /// True once its client's messages can tell nothing new of it.
  var isIntroduced = false
  /// True once its client was looked at.
  var isKnown = false
  /// True once its `end` line is written.
  var isEndWritten = false
  /// Which values went from answers into requests.
  var flow = ValueFlow()

  private var counter = 0
  private var settledAt = Int64.min
  /// Answers on streams that were told before their requests, oldest first.
  private var early: [EarlyAnswer] = []
  /// Most of them that are kept (a hole holds back few requests).
  private static let earlyLimit = 32

  init(name: String?, line: SessionLine, wireKey: String?, siblingGap: Int64) {
    self.name = name
    self.line = line
    self.wireKey = wireKey
    order = CausalOrder(siblingGap: siblingGap)
    lastActivity = line.t
  }

  /// Forgets what only messages of before `t` would need. Does so once while the session is silent.
  func settle(before t: Int64) {
    guard settledAt < lastActivity else { return }
    settledAt = t
    order.settle(before: t)
  }

  /// Returns the next `n`.
  func number() -> Int {
    counter += 1
    return counter
  }

  /// Notes a connection that carries it.
  func carried(by conn: Int) {
    guard conns.last != conn else { return }
    conns.removeAll { $0 == conn }
    conns.append(conn)
    if conns.count > SessionState.connLimit { conns.removeFirst() }
  }

  /// Notes a value that a later message may give back; returns false when old ones are forgotten for it.
  func remember<Value>(
    _ key: String, _ value: Value, in map: ReferenceWritableKeyPath<SessionState, [String: Value]>
  ) -> Bool {
    let isFull = self[keyPath: map].count >= SessionState.valueLimit
    if isFull { self[keyPath: map].removeAll() }
    self[keyPath: map][key] = value
    return !isFull
  }

  /// Notes tools that a list named; returns false when that is too much.
  func list(_ tools: [String]) -> Bool {
    let room = max(0, SessionState.valueLimit - listedTools.count)
    listedTools.formUnion(tools.prefix(room))
    return tools.count <= room || listedTools.isSuperset(of: tools)
  }

  /// Notes an answer to `initialize` or `server/discover`; returns false when old ones are forgotten for it.
  func shakeHands(_ n: Int) -> Bool {
    let isFull = handshakes.count >= SessionState.valueLimit
    if isFull { handshakes.removeAll() }
    handshakes.insert(n)
    latestHandshake = max(latestHandshake, n)
    return !isFull
  }

  /// Whether an answer was to `initialize` or `server/discover`; they are the first of a session.
  func isHandshake(_ n: Int) -> Bool { n <= latestHandshake && handshakes.contains(n) }

  /// Requests of a direction that must be given up, as too many wait: the older half.
  func surplus(_ direction: Direction) -> ArraySlice<OpenRequest> {
    guard (direction == .c2s ? openC2S : openS2C).count > SessionState.openLimit else { return [] }
    return openRequests(direction).prefix(SessionState.openLimit / 2)
  }

  /// Requests of a direction that wait at once: as many as HTTP/2 streams (Suricata's limit).
  private static let openLimit = 4096

  /// An SDK client on SSE answers opens a connection a call; more are not open at once.
  private static let connLimit = 64
  /// Cursors, request states, tasks and tools that are remembered; real lists have tens of pages, and hundreds of tools.
  private static let valueLimit = 1024

  /// Notes a question; of too many the oldest is forgotten.
  func ask(_ question: OpenQuestion) {
    if questions.count >= SessionState.questionLimit { questions.removeFirst() }
    questions.append(question)
  }

  /// An agent has few calls under way; more questions are not open at once.
  private static let questionLimit = 64

  /// Keeps an answer whose request may be told later; returns the one that is given up for it.
  func keep(_ answer: EarlyAnswer) -> EarlyAnswer? {
    var answer = answer
    answer.message.own()
    early.append(answer)
    return early.count > SessionState.earlyLimit ? early.removeFirst() : nil
  }

  /// Takes the kept answer to a request of that id.
  func takeEarly(_ id: MessageToken) -> EarlyAnswer? {
    guard !early.isEmpty,
      let index = early.firstIndex(where: { $0.message.id.map(MessageToken.init) == id })
    else { return nil }
    return early.remove(at: index)
  }

  /// Takes the kept answers that were complete before `at`.
  func takeEarly(before at: Timestamp) -> [EarlyAnswer] {
    guard !early.isEmpty else { return [] }
    let old = early.filter { $0.carrier.lastByteAt < at }
    if !old.isEmpty { early.removeAll { $0.carrier.lastByteAt < at } }
    return old
  }

  /// Takes all that are kept.
  func takeAllEarly() -> [EarlyAnswer] {
    defer { early = [] }
    return early
  }

  /// Notes a request that waits for its response.
  func opened(_ request: OpenRequest, _ direction: Direction) {
    if direction == .c2s { openC2S.add(request) } else { openS2C.add(request) }
  }

  /// Notes the progress token of a client's request.
  func expectsProgress(_ token: RawJSON, of request: OpenRequest) {
    let token = MessageToken(token)
    request.progressToken = token
    progressTokens.set(token, request.n)
  }

  /// The `n` of the request that a progress token belongs to.
  func request(ofProgress token: RawJSON) -> Int? {
    progressTokens.isEmpty ? nil : progressTokens.request(MessageToken(token))
  }

  /// Forgets a request whose response line is written.
  func closed(_ request: OpenRequest, _ direction: Direction) {
    request.isClosed = true
    if let token = request.progressToken { progressTokens.remove(token, request.n) }
    if direction == .c2s { openC2S.remove(request) } else { openS2C.remove(request) }
  }

  /// The oldest request of that id still open.
  func openRequest(_ id: RawJSON, _ direction: Direction) -> OpenRequest? {
    direction == .c2s ? openC2S.first(id) : openS2C.first(id)
  }

  /// All open requests of a direction, oldest first.
  func openRequests(_ direction: Direction) -> [OpenRequest] {
    (direction == .c2s ? openC2S : openS2C).all.sorted { $0.n < $1.n }
  }
}

/// An answer on a stream that was told before its request.
struct EarlyAnswer {
  var exchange: MCPExchange
  var message: JSONRPCMessage
  var carrier: Conversation.Carrier
}
