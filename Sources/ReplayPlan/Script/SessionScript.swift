public import Basics
public import MCP
public import Trace

/// What one recorded session's client did: the pattern from which agents are cloned.
public struct SessionScript: Hashable, Sendable {
  /// Name in the trace: `s1`.
  public var name: String
  /// The steps in order of recorded time.
  public var steps: [ScriptStep] = []
  /// First byte, nanoseconds since the recording's first session began.
  public var start: Int64 = 0
  /// Last sign of life, nanoseconds since `start`.
  public var length: Int64 = 0
  /// Host and path of the recorded endpoint.
  public var endpoint: String
  /// Path of the recorded endpoint.
  public var path: String
  /// How client and server spoke.
  public var transport = SessionLine.Transport.streamableHTTP
  /// Negotiated protocol revision; after translation the target's.
  public var revision: String?
  /// The revision of the recording, where the session is told in another one.
  public var recordedRevision: String?
  /// What the client said of itself; strata of resampling.
  public var client: Implementation?
  /// What the session was known by.
  public var key: SessionKey?
  /// True when its beginning is not in the recording.
  public var isCut = false
  /// True when the recording ended before it did.
  public var isUnfinished = false
  /// Recorded answers to the server's requests, by method, in order.
  public var serverAnswers: [String: [ServerAnswer]] = [:]

  /// Values of answers that later requests take.
  public var values: [Value] = []

  /// A value that an answer gives.
  public struct Value: Hashable, Sendable {
    /// The step whose answer has it.
    public var step: Int
    /// Where it stands in the answer.
    public var source: ValueSource
  }

  /// What the recorded client answered to a request of the server.
  public struct ServerAnswer: Hashable, Sendable {
    /// The result or error object, verbatim.
    public var content: RawJSON
    /// True when it is an error.
    public var isError: Bool
    /// True when it holds surrogates.
    public var isHidden = false
    /// What was asked.
    public var question: String?
    /// The client's time between question and answer, nanoseconds.
    public var think: Int64 = 0
  }

  /// What a server's question says to people or models, by which it is known again.
  static func question(_ params: RawJSON?) -> String? {
    params?.member("message")?.string ?? params?.member("messages")?.text
  }

  /// Creates an empty script.
  public init(name: String, endpoint: String, path: String) {
    self.name = name
    self.endpoint = endpoint
    self.path = path
  }

  /// The steps whose answers a step takes values from.
  func sources(of step: ScriptStep) -> Set<Int> { Set(step.bindings.map { values[$0.value].step }) }

  /// The steps that have to come before a step in any run: those that give its values, also in later rounds, its cursor or its task.
  func needs(of step: ScriptStep) -> Set<Int> {
    let answers = step.rounds.lazy.flatMap(\.answers).flatMap(\.bindings)
    return sources(of: step).union(answers.map { values[$0.value].step })
      .union([step.cursorFrom, step.taskOf].compactMap(\.self))
  }

  /// Number of calls in the sense of the results.
  public var calls: Int { steps.reduce(0) { $0 + ($1.isCall ? 1 : 0) } }
}

/// All that a trace says to a replay.
public struct RecordedTraffic: Hashable, Sendable {
  /// The sessions in order of their start.
  public var scripts: [SessionScript] = []
  /// Tools that every listing called read-only (`readOnlyHint`).
  public var readOnlyTools: Set<String> = []
  /// From the first session's start to the last sign of life, nanoseconds.
  public var length: Int64 = 0
  /// What the recorder kept of payloads.
  public var payloads = HeaderLine.Payloads.full
  /// Names of the rules by which the recorder replaced more than that.
  public var redactionRules: [String] = []
  /// Results of calls by session and `n` of the first request, where they are kept to be compared with.
  public var results: [String: [Int: RawJSON]] = [:]
  /// Connections that carried several sessions: those of a gateway, or of a proxy behind which it was recorded.
  public var sharedConnections = 0
  /// Bytes of a torn last line.
  public var tornTail = 0

  /// Creates an empty recording.
  public init() {}
}
