import Basics
import Trace

extension AgentMachine {
  enum Phase: UInt8 {
    case waiting
    case scheduled
    case flying
    case over
  }

  /// Where an agent is with a step. There is one for every step of every agent: 64 bytes, and nothing in it has to be freed.
  struct StepState {
    /// Latest answer it waited for, and latest gate.
    var ready: Int64
    var gate: Int64
    var due: Int64 = 0
    var done: Int64 = 0
    private var sentAt = Int64.min
    private var firstAt = Int64.min
    private var inExchange: Int32 = 0
    /// Times that it was sent.
    var attempts: Int32 = 0
    /// Steps that are not over yet.
    var missing: Int32 = 0
    var phase = Phase.waiting
    /// True for what a client that came in later does at once, uncounted.
    var isPrologue = false
    /// True when a failure of its turn takes it along.
    var isPoisoned = false
    /// True when its answer held a result; false for one that was left out.
    var hasResult = false
    var wasOmitted = false

    init(start: Int64) {
      ready = start
      gate = start
    }

    /// When it was sent first.
    var sent: Int64? {
      get { sentAt == .min ? nil : sentAt }
      set { sentAt = newValue ?? .min }
    }

    /// When its answer's first byte came.
    var first: Int64? {
      get { firstAt == .min ? nil : firstAt }
      set { firstAt = newValue ?? .min }
    }

    /// The exchange that is to bring its answer.
    var exchange: Int? {
      get { inExchange == 0 ? nil : Int(inExchange) }
      set { inExchange = Int32(truncatingIfNeeded: newValue ?? 0) }
    }
  }

  /// What few steps have: rounds, repetitions, streams that are taken up, tasks, pages.
  struct StepExtra {
    var round = 0
    /// Repetitions after a failure.
    var tries = 0
    var resumes = 0
    /// How often its stream was taken up in quick succession, and when last.
    var streak = 0
    var takenUpAt = Int64.min
    /// `nextCursor` of its answer.
    var cursor: RawJSON?
    /// Why it is left out when the session ends with it.
    var omission: SkipReason?
    /// Outcome of the last try, when another was to follow.
    var failure: Outcome?
    /// Latest event id of its stream, and its latest reconnection time in milliseconds.
    var eventID: String?
    var retry: Int?
    /// Cursor of a page that the recording has not, and how many there were.
    var nextPage: RawJSON?
    var pages = 0
    /// The task that its answer promised, and when it has to be over.
    var task: TaskFacts?
    var taskDeadline: Int64?
    /// How the call ended by the last poll's answer.
    var taskOutcome: Outcome?
    /// Where it is with a token that was refused.
    var refusal = Refusal.none
  }

  /// The extras of an agent's steps by their number.
  struct StepExtras {
    private var kept: [Int: StepExtra] = [:]

    subscript(_ i: Int) -> StepExtra {
      get { kept.isEmpty ? StepExtra() : kept[i] ?? StepExtra() }
      _modify { yield &kept[i, default: StepExtra()] }
    }
  }

  /// An HTTP exchange whose answer is not over.
  struct Exchange {
    var number: Int
    var purpose: Transmission.Purpose
    var status: Int?
    var first: Int64?
    var isInSession: Bool
    /// Version of the credential that it was sent with.
    var credential = 0
    /// What few answers have.
    var rest: ExchangeRest?
  }

  struct ExchangeRest {
    /// An error that names no request, as servers send it with a 4xx.
    var error: RawJSON?
    var eventID: String?
    var retry: Int?
    /// Header of the answer, where a later request wants a field of it.
    var fields: HeaderFields?
  }
}
