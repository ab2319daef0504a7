public import Basics
public import MCP
public import Trace

/// One thing that a recorded client did on its own account, and what it waited for.
///
/// Steps are numbered by their place in the session's script; a step refers to others by that number, always to smaller ones.
/// The rounds of an `input_required` call and the repetition after a 401 are part of the call's step.
public struct ScriptStep: Hashable, Sendable {
  /// What is sent.
  public enum Kind: Hashable, Sendable {
    /// A POST with a JSON-RPC request.
    case request
    /// A POST with a notification.
    case notification
    /// A GET that asks for an event stream.
    case openStream
    /// The DELETE that ends the session.
    case delete
    /// Nothing is sent: the stream of an earlier step is closed.
    case closeStream
  }

  /// Why a step is not sent, mostly in the revision that the target speaks.
  public enum Omission: Hashable, Sendable {
    /// What it says is said by other requests.
    case retold
    /// That revision has nothing of the kind.
    case noCounterpart
    /// A preflight has no use for it.
    case unwanted
  }

  /// Another round of a call: what the client answered to `input_required`.
  public struct Round: Hashable, Sendable {
    /// The client's time between the question and this round, nanoseconds.
    public var think: Int64
    /// Recorded answers by key of `inputRequests`, with the method that was asked for.
    public var answers: [Answer]

    /// One recorded answer.
    public struct Answer: Hashable, Sendable {
      /// Key in `inputRequests` and `inputResponses`.
      public var key: String
      /// Method of the question, empty when unknown.
      public var method: String
      /// What was asked.
      public var question: String?
      /// The answer, verbatim.
      public var response: RawJSON
      /// Places in it where the recording has surrogates.
      public var hidden: [ValuePath] = []
      /// Values that it takes from earlier answers; places are those in the answer.
      public var bindings: [Binding] = []
    }
  }

  /// A place in the params that takes a value of an earlier answer.
  public struct Binding: Hashable, Sendable {
    /// Index in the script's `values`.
    public var value: Int
    /// Where it stands in the params.
    public var at: ValuePath
    /// What is around it where `at` leads to a longer text.
    public var within: ValueUse.Surroundings?
    /// True for what each client has of its own whatever the options say, as the id of a task.
    public var isProtocol = false
  }

  /// An argument that a header repeats, because the tool's schema says so (`x-mcp-header`).
  public struct Mirror: Hashable, Sendable {
    /// What follows `Mcp-Param-` in the header's name.
    public var name: String
    /// Where the argument stands in the params.
    public var path: ValuePath

    /// Describes an argument.
    public init(name: String, path: ValuePath) {
      self.name = name
      self.path = path
    }
  }

  /// How the recorded client gave the request up.
  public struct Cancellation: Hashable, Sendable {
    /// Time from sending the request, nanoseconds; never scaled, it is the client's time-out or its user's will.
    public var after: Int64
    /// `params` of the `notifications/cancelled`; `nil` when the client closed the stream instead.
    public var notification: RawJSON?
  }

  /// `n` of the recorded line.
  public var n: Int
  /// What is sent.
  public var kind: Kind
  /// JSON-RPC method; the HTTP method where there is none.
  public var method: String
  /// Name of the tool of a `tools/call`.
  public var tool: String?
  /// The params, verbatim.
  public var params: RawJSON?
  /// The recorded id token; tells number from string.
  public var id: RawJSON?
  /// Steps whose answers it waits for.
  public var after: [Int] = []
  /// Why it waits for them, as far as the recording says.
  public var afterBy: AfterReason?
  /// Steps that must be over first because the protocol says so; no think time runs from them.
  public var gates: [Int] = []
  /// Values that its params take from earlier answers.
  public var bindings: [Binding] = []
  /// Places of the params where the recording has surrogates.
  public var hidden: [ValuePath] = []
  /// Step whose `nextCursor` is this request's `cursor`.
  public var cursorFrom: Int?
  /// True for the last page of a listing that the client read to its end.
  public var isLastPage = false
  /// The client's own time since the last of `after`, nanoseconds.
  public var think: Int64 = 0
  /// Time since the session's start, nanoseconds; counts for a step that waits for nothing.
  public var offset: Int64 = 0
  /// Recorded time from sending to the last answer without the client's own time between rounds, nanoseconds.
  public var service: Int64 = 0
  /// True for a call in the sense of the results.
  public var isCall = false
  /// Who had the idea.
  public var origin: Origin?
  /// The agent's turn.
  public var turn = 0
  /// Recorded outcome; `nil` when the recording does not hold it.
  public var outcome: Outcome?
  /// True for a request of revision 2026-07-28 or later, which carries its own metadata.
  public var isModern = false
  /// True for `subscriptions/listen`, whose answer comes when the client has had enough.
  public var isLongLived = false
  /// How long the recorded client listened then, nanoseconds.
  public var listening: Int64 = 0
  /// Recorded rounds after the first.
  public var rounds: [Round] = []
  /// How it was given up in the recording.
  public var cancellation: Cancellation?
  /// Recorded header fields that a replay repeats.
  public var headers: [HeaderField] = []
  /// Arguments that headers repeat; `nil` when neither the recording nor the target shows the tool's schema.
  public var mirrors: [Mirror]?
  /// The call whose task it is about.
  public var taskOf: Int?
  /// True for a poll, which stands for all polls of its loop: how many there are is decided in the run.
  public var isPoll = false
  /// The step whose answer ends this call's task.
  public var taskEnd: Int?
  /// Why it is not sent although the recorded client did.
  public var omission: Omission?
  /// The step whose stream it closes.
  public var closes: Int?
  /// The connection that carried it, counted from 0 within the session; `nil` when the recording does not say.
  public var connection: Int?
  /// True when nothing later went over that connection.
  public var isLastOnConnection = false

  /// Creates a step.
  public init(n: Int, kind: Kind, method: String) {
    self.n = n
    self.kind = kind
    self.method = method
  }

  /// Takes no values of answers any more but those that each client has of its own.
  mutating func unbind() {
    bindings.removeAll { !$0.isProtocol }
    for round in rounds.indices {
      for answer in rounds[round].answers.indices { rounds[round].answers[answer].bindings = [] }
    }
  }

  /// Takes no values of answers at all, its rounds neither.
  mutating func forgetValues() {
    bindings = []
    for round in rounds.indices {
      for answer in rounds[round].answers.indices { rounds[round].answers[answer].bindings = [] }
    }
  }

  /// True when nothing but the recorded order says that it waits.
  public var waitsOnOrderAlone: Bool { afterBy == .order }

  /// True when the recorded request ended well: `ok`, as agents count it.
  public var succeededThen: Bool { outcome == .ok }

  /// Returns whether `outcome` now is a success: `ok`, or an error of the tool where the recording had one too.
  public func isSuccess(_ outcome: Outcome) -> Bool {
    outcome == .ok || outcome == .toolError && self.outcome == .toolError
  }
}
