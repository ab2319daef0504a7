public import Trace

/// What a summary says of single calls and of demands.
extension ReplaySummary {
  /// An estimate of the tokens that agents had read and written before calls that failed: bytes of MCP by 6 and by 3.
  public struct TokensAtRisk: Hashable, Sendable {
    /// At least.
    public var low = 0
    /// At most.
    public var high = 0

    /// Estimates from the bytes of messages.
    public init(bytes: Int = 0) { (low, high) = (bytes / 6, bytes / 3) }
  }

  /// A call that failed, without secrets.
  public struct FailureSample: Hashable, Sendable {
    /// How it ended.
    public var outcome: Outcome
    /// The recorded session and the number of the copy.
    public var agent: String
    /// `n` of the recorded request.
    public var n: Int
    /// The tool.
    public var tool: String
    /// When it was sent, nanoseconds of the run.
    public var at: Int64
    /// How long it took, nanoseconds.
    public var took: Int64
    /// HTTP status.
    public var status: Int?
    /// JSON-RPC code.
    public var code: Int64?
    /// The answer's result or error, cut to some hundred bytes.
    public var answer: String?

    /// Describes a call.
    public init(
      outcome: Outcome, agent: String, n: Int, tool: String, at: Int64, took: Int64, status: Int?,
      code: Int64?, answer: String?
    ) {
      self.outcome = outcome
      self.agent = agent
      self.n = n
      self.tool = tool
      self.at = at
      self.took = took
      self.status = status
      self.code = code
      self.answer = answer
    }
  }

  /// Answers compared with the recorded ones.
  public struct Verification: Hashable, Sendable {
    /// What was compared: `off`, `shape` or `exact`.
    public var mode = "off"
    /// Answers compared.
    public var checked = 0
    /// Those that were like the recorded one.
    public var equal = 0
    /// Those that were not.
    public var different = 0
    /// Some of these.
    public var examples: [Difference] = []

    /// Creates zeros.
    public init() {}
  }

  /// Where an answer is not like the recorded one.
  public struct Difference: Hashable, Sendable {
    /// The recorded session.
    public var session: String
    /// `n` of the recorded request.
    public var n: Int
    /// The tool.
    public var tool: String
    /// JSON Pointer into the result.
    public var at: String
    /// What is different there.
    public var what: String

    /// Describes a difference.
    public init(session: String, n: Int, tool: String, at: String, what: String) {
      self.session = session
      self.n = n
      self.tool = tool
      self.at = at
      self.what = what
    }
  }

  /// A demand of the user and what came of it.
  public struct ThresholdResult: Hashable, Sendable {
    /// As it was written.
    public var expression: String
    /// Whether it held.
    public var isMet: Bool
    /// The figure, in the unit of the summary; of a windowed one the worst window's. `nil` when there is none.
    public var value: Double?
    /// What it was compared with, in the same unit.
    public var limit: Double
    /// Why there is no value, or which window was the worst.
    public var note: String?

    /// Describes a result.
    public init(
      expression: String, isMet: Bool, value: Double?, limit: Double, note: String? = nil
    ) {
      self.expression = expression
      self.isMet = isMet
      self.value = value
      self.limit = limit
      self.note = note
    }
  }
}
