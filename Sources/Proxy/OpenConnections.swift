internal import NIOCore
internal import Synchronization

/// The connections that are open, so that somebody can wait for their end or bring it about.
final class OpenConnections: Sendable {
  typealias Key = Int

  private struct State {
    var channels: [Key: any Channel] = [:]
    var counts = ProxyCounts()
    var isClosing = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  var counts: ProxyCounts {
    state.withLock { state in
      var counts = state.counts
      counts.open = state.channels.count
      return counts
    }
  }

  /// Enters a client's channel; `nil` when no new connection is wanted any more.
  func register(_ channel: any Channel) -> Key? {
    state.withLock { state in
      state.counts.accepted += 1
      guard !state.isClosing else { return nil }
      let key = state.counts.accepted
      state.channels[key] = channel
      return key
    }
  }

  func unregister(_ key: Key) {
    let released = state.withLock { state in
      state.channels[key] = nil
      guard state.channels.isEmpty else { return [CheckedContinuation<Void, Never>]() }
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in released { continuation.resume() }
  }

  func upstreamFailed() {
    state.withLock { $0.counts.upstreamFailures += 1 }
  }

  /// Lets no new connection in.
  func refuse() {
    state.withLock { $0.isClosing = true }
  }

  /// Ends every open connection; returns how many.
  func cutAll() -> Int {
    let channels = state.withLock { Array($0.channels.values) }
    for channel in channels { channel.pipeline.fireUserInboundEventTriggered(Relay.Cut()) }
    return channels.count
  }

  /// Returns when no connection is open, or when `limit` is over if one is given.
  func waitUntilEmpty(limit: TimeAmount?, on loop: any EventLoop) async {
    var deadline: Scheduled<Void>?
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if !state.channels.isEmpty { state.waiting.append(continuation) }
        return state.channels.isEmpty
      }
      if isEmpty {
        continuation.resume()
      } else if let limit {
        // Only now: a deadline that passed before would find nobody to release.
        deadline = loop.scheduleTask(in: limit) { self.releaseWaiting() }
      }
    }
    deadline?.cancel()
  }

  private func releaseWaiting() {
    let released = state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in released { continuation.resume() }
  }
}

/// What a proxy has done so far.
public struct ProxyCounts: Hashable, Sendable {
  /// Connections accepted from clients.
  public internal(set) var accepted = 0
  /// Those of them that are open now.
  public internal(set) var open = 0
  /// Those of them that were reset because no upstream connection came about.
  public internal(set) var upstreamFailures = 0
}
