internal import Basics
internal import NIOCore
internal import Synchronization

/// Finds intercepted connections that would go round in circles.
///
/// Theory: there are two ways back to oneself. A client may dial the proxy's own address: its destination is one of this
/// machine's addresses, with a port that is listened on. Or the rules may redirect the proxy's own connections: then a client
/// comes from the near end of another connection's upstream leg, with the same destination. That near end is known only
/// once the leg is connected, and its other end may be accepted before. So a client from this machine waits for the legs
/// that were being connected to its destination when it came; each of those is then connected, and known, or given up.
///
/// Invariant: nothing is dialled for a client whose path is that of an upstream leg.
final class LoopGuard: Sendable {
  /// The two ends of a connection as its maker sees them; no two that are open have the same.
  fileprivate struct Path: Hashable {
    let from: Endpoint
    let to: Endpoint
  }

  private struct State {
    var ports: Set<Int> = []
    /// By path, whether it turned out to be an upstream leg.
    var accepted: [Path: Bool] = [:]
    var dialled: Set<Path> = []
    /// Destinations of the legs that are being connected.
    var dialling: [Int: Endpoint] = [:]
    var lastDial = 0
  }

  private let state = Mutex(State())

  /// Says that the proxy listens on this port.
  func listens(on port: Int) { state.withLock { _ = $0.ports.insert(port) } }

  /// Lets a connection in; throws when it leads back, or has ended already.
  func enter(
    _ client: Endpoint, to destination: Endpoint
  ) throws(InterceptionError) -> Passage {
    guard !client.host.isEmpty else { throw .clientGone }
    let (isPort, dials) = state.withLock { state in
      let dials = state.dialling.filter { $0.value == destination }
      return (state.ports.contains(destination.port), Set(dials.keys))
    }
    if isPort, Self.isHere(destination.host) { throw .leadsBack }
    let path = Path(from: client, to: destination)
    let isLeg = state.withLock { state in
      if state.dialled.contains(path) { return true }
      state.accepted[path] = false
      return false
    }
    if isLeg { throw .leadsBack }
    let mayBeLeg = !dials.isEmpty && Self.isHere(client.host)
    return Passage(path: path, awaited: mayBeLeg ? dials : [], loops: self)
  }

  /// One connection on its way through.
  struct Passage {
    private let path: Path
    private let awaited: Set<Int>
    private let loops: LoopGuard
    private var dial: Int?
    private var leg: Path?

    fileprivate init(path: Path, awaited: Set<Int>, loops: LoopGuard) {
      self.path = path
      self.awaited = awaited
      self.loops = loops
    }

    /// False while it cannot be told whether the connection leads back.
    var isSettled: Bool {
      awaited.isEmpty
        || loops.state.withLock { state in awaited.allSatisfy { state.dialling[$0] == nil } }
    }

    /// Says that the upstream leg is being connected; false when the connection leads back.
    mutating func begin() -> Bool {
      dial = loops.state.withLock { state in
        guard state.accepted[path] == false, !state.dialled.contains(path) else { return nil }
        state.lastDial += 1
        state.dialling[state.lastDial] = path.to
        return state.lastDial
      }
      return dial != nil
    }

    /// Says where the upstream leg comes from; false when it leads back.
    mutating func connected(from near: Endpoint) -> Bool {
      let leg = Path(from: near, to: path.to)
      self.leg = leg
      return loops.state.withLock { state in
        if let dial { state.dialling[dial] = nil }
        state.dialled.insert(leg)
        guard state.accepted[leg] != nil else { return true }
        state.accepted[leg] = true
        return false
      }
    }

    /// The connection is over.
    func end() {
      loops.state.withLock { state in
        state.accepted[path] = nil
        if let dial { state.dialling[dial] = nil }
        if let leg { state.dialled.remove(leg) }
      }
    }
  }

  /// Whether an address is one of this machine's.
  private static func isHere(_ host: String) -> Bool {
    if host.hasPrefix("127.") || host == "::1" { return true }
    do {
      return try System.enumerateDevices().contains { Endpoint($0.address).host == host }
    } catch {
      // A system that does not tell its addresses: rather refuse than go round.
      return true
    }
  }
}
