import Glibc
import NIOPosix
public import ReplayPlan
import Synchronization

/// Keeps the token of a run fresh, off the event loops.
///
/// Theory: a file is looked at once a second, and read when it is another; a program is asked before the token that it gave ends.
/// Either is asked when a server refuses the token: those that were refused with the same one share the answer. Every renewal counts
/// the credential's version up, even where the token stayed: who was refused is to repeat its request once, and no more.
public final class BearerKeeper: Sendable {
  /// Shortest time between two renewals, so that a server that refuses all is no reason to run a program without end.
  private static let pause = Duration.seconds(1)
  /// A program is asked so long before its token ends, seconds, but not before half of the token's life is over.
  private static let margin: Int64 = 30
  /// Shortest time before a program is asked again that gave a token which ends as soon, seconds.
  private static let patience: Int64 = 5

  private enum Event {
    case second
    case refused(version: Int)
  }

  private struct State {
    var credential: Credential
    var token: BearerToken
    var fingerprint: [Int]?
    var received: Int64
    var asked: Int64
    var hasFailed = false
  }

  private let source: BearerSource
  private let state: Mutex<State>
  private let events: AsyncStream<Event>
  private let continuation: AsyncStream<Event>.Continuation

  /// Gets the first token.
  ///
  /// - Throws: `BearerSource.Failure`.
  public init(_ source: BearerSource) async throws(BearerSource.Failure) {
    self.source = source
    let fingerprint = source.fingerprint
    let token = try await BearerKeeper.token(source).get()
    let now = BearerKeeper.now
    state = Mutex(
      State(
        credential: Credential(token), token: token, fingerprint: fingerprint, received: now,
        asked: now))
    (events, continuation) = AsyncStream.makeStream()
  }

  /// What requests are authorised with for now.
  public var credential: Credential { state.withLock(\.credential) }

  /// The token for now.
  public var token: BearerToken { state.withLock(\.token) }

  /// Asks for a renewal of the credential of that version; a newer one is delivered in the end.
  func renew(_ version: Int) { continuation.yield(.refused(version: version)) }

  /// Delivers every new credential until it is cancelled; says once that a renewal failed.
  func keep(
    _ deliver: @Sendable (Credential) -> Void, notice: @Sendable (String) -> Void
  ) async {
    let ticking = Task { [continuation] in
      do {
        while true {
          try await Task.sleep(for: .seconds(1))
          continuation.yield(.second)
        }
      } catch {
        // Cancelled: the run is over.
      }
    }
    defer { ticking.cancel() }
    var last: ContinuousClock.Instant?
    for await event in events {
      switch event {
      case .second: if isDue { await renewed(deliver, notice, onlyIfOther: true) }
      case .refused(let version):
        guard version >= credential.version else { continue }
        if let last, ContinuousClock.now < last + BearerKeeper.pause {
          do {
            try await Task.sleep(until: last + BearerKeeper.pause, clock: .continuous)
          } catch {
            return
          }
        }
        await renewed(deliver, notice, onlyIfOther: false)
        last = .now
      }
    }
  }

  /// True when the file is another, or the program's token ends soon.
  private var isDue: Bool {
    let fingerprint = source.fingerprint
    let now = BearerKeeper.now
    return state.withLock { state in
      guard case .command = source else {
        return fingerprint != nil && fingerprint != state.fingerprint
      }
      guard let expiry = state.token.expiry else { return false }
      let life = max(0, expiry - state.received)
      return now >= expiry - min(BearerKeeper.margin, life / 2)
        && now >= state.asked + BearerKeeper.patience
    }
  }

  private func renewed(
    _ deliver: (Credential) -> Void, _ notice: (String) -> Void, onlyIfOther: Bool
  ) async {
    let fingerprint = source.fingerprint
    let result = await BearerKeeper.token(source)
    let now = BearerKeeper.now
    var complaint: String?
    let credential = state.withLock { state -> Credential? in
      var token = state.token
      switch result {
      case .success(let fresh): token = fresh
      case .failure(let failure):
        if !state.hasFailed { complaint = "\(failure) (the run goes on with the token it has)" }
      }
      if case .failure = result { state.hasFailed = true } else { state.hasFailed = false }
      state.fingerprint = fingerprint
      state.asked = now
      guard token != state.token || !onlyIfOther else { return nil }
      if token != state.token { state.received = now }
      state.token = token
      state.credential = Credential(token, after: state.credential)
      return state.credential
    }
    if let complaint { notice(complaint) }
    if let credential { deliver(credential) }
  }

  private static func token(
    _ source: BearerSource
  ) async -> Result<BearerToken, BearerSource.Failure> {
    do {
      return try await NIOThreadPool.singleton.runIfActive {
        do throws(BearerSource.Failure) {
          return .success(try source.token())
        } catch {
          return .failure(error)
        }
      }
    } catch {
      return .failure(
        BearerSource.Failure(isInput: false, description: "no thread to get a token on: \(error)"))
    }
  }

  /// Seconds since 1970.
  private static var now: Int64 { Int64(time(nil)) }
}
