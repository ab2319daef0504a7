import Basics
import MCP
import Trace

/// Tells a recorded session in the other kind of revision: with sessions (up to 2025-11-25) or stateless (from 2026-07-28 on).
///
/// Theory: steps keep their places, so that waits, values and cursors hold; a step either says the same in other words, or is left
/// out and takes as long as it did, so that the rhythm stays. What is said elsewhere is `retold`; what has no counterpart at all is
/// counted by name when the run comes to it.
///
/// | with sessions | stateless |
/// | --- | --- |
/// | `initialize`, `notifications/initialized` | `server/discover`; version, client and capabilities in each request's `_meta` |
/// | GET stream, `resources/subscribe`, `resources/unsubscribe` | `subscriptions/listen`, closing its stream |
/// | `logging/setLevel` | the log level in `_meta` of what follows |
/// | the server's requests | `input_required`, answered in another round |
/// | `notifications/cancelled` | closing the stream |
/// | DELETE, `ping`, other notifications of the client; tasks | – |
struct SessionTelling {
  var script: SessionScript
  let revision: Revision

  init(_ script: SessionScript, _ revision: Revision) {
    self.script = script
    self.revision = revision
    self.script.recordedRevision = script.revision ?? Modern.lastWithSessions
    self.script.revision = revision.description
    if script.transport == .httpSSE { self.script.transport = .streamableHTTP }
  }

  static let logSetLevel = "logging/setLevel"
  static let subscribe = "resources/subscribe"
  static let unsubscribe = "resources/unsubscribe"

  /// Where a resource stands in a subscription of its own, and in one of many.
  static let uri: [ValuePath.Step] = [.child("uri")]
  static func subscription(_ k: Int) -> [ValuePath.Step] {
    [.child("notifications"), .child("resourceSubscriptions"), .child("\(k)")]
  }

  /// The members of an object, or none.
  static func members(_ json: RawJSON?) -> [JSONValue.Member] { json?.value.members ?? [] }

  /// Returns the params with other `_meta`; without any when it is empty.
  static func params(
    _ params: RawJSON?, meta: [JSONValue.Member], without: Set<String> = []
  ) -> RawJSON? {
    var members = members(params).filter { $0.key != "_meta" && !without.contains($0.key) }
    if !meta.isEmpty { members.append(.init("_meta", .object(meta))) }
    return members.isEmpty && params == nil ? nil : RawJSON(.object(members))
  }

  /// Leaves a step out.
  mutating func omit(_ i: Int, _ omission: ScriptStep.Omission) {
    script.steps[i].omission = omission
    script.steps[i].isLongLived = false
    script.steps[i].cancellation = nil
  }
}

extension ScriptStep {
  /// Keeps of its bindings and hidden places those at `place`, which stands elsewhere now.
  mutating func move(_ place: [ValuePath.Step], to other: [ValuePath.Step]) {
    func moved(_ path: ValuePath) -> ValuePath? {
      guard path.steps.starts(with: place) else { return nil }
      return ValuePath(steps: other + path.steps.dropFirst(place.count))
    }
    hidden = hidden.compactMap(moved)
    bindings = bindings.compactMap { binding in
      moved(binding.at).map {
        var binding = binding
        binding.at = $0
        return binding
      }
    }
  }
}

extension SessionScript {
  /// Puts steps before the one at `place`; all references follow.
  mutating func insert(_ steps: [ScriptStep], at place: Int) {
    func moved(_ i: Int) -> Int { i < place ? i : i + steps.count }
    for i in self.steps.indices {
      self.steps[i].after = self.steps[i].after.map(moved)
      self.steps[i].gates = self.steps[i].gates.map(moved)
      self.steps[i].cursorFrom = self.steps[i].cursorFrom.map(moved)
      self.steps[i].closes = self.steps[i].closes.map(moved)
      self.steps[i].taskOf = self.steps[i].taskOf.map(moved)
      self.steps[i].taskEnd = self.steps[i].taskEnd.map(moved)
    }
    for k in values.indices { values[k].step = moved(values[k].step) }
    self.steps.insert(contentsOf: steps, at: place)
  }
}
