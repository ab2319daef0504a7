public import MCP
import Trace

/// What a target said of the protocol's revisions when it was asked.
public struct SpokenRevisions: Hashable, Sendable {
  /// Whether a target speaks one kind of revision.
  public enum Verdict: Hashable, Sendable {
    /// Nobody asked, or it said nothing that tells.
    case unknown
    /// It refused.
    case refused
    /// It does, and which one it chose.
    case speaks(Revision)
  }

  /// Revisions up to 2025-11-25: handshake, sessions, requests of the server.
  public var withSessions = Verdict.unknown
  /// Revisions from 2026-07-28 on.
  public var stateless = Verdict.unknown
  /// Arguments that this target wants in headers, by tool.
  public var mirrored: [String: [ScriptStep.Mirror]] = [:]

  /// Creates the answer of a target that nobody asked.
  public init() {}

  /// The revision in which a session of the other kind is told; `nil` when it is replayed as it was.
  func other(than script: SessionScript) -> Revision? {
    switch (script.isStateless, withSessions, stateless) {
    case (false, .refused, .speaks(let revision)), (true, .speaks(let revision), .refused):
      revision
    default: nil
    }
  }
}

extension SessionScript {
  /// True for a session of revision 2026-07-28 or later.
  ///
  /// A client that asked in the new way and then opened a session in the old one has a session.
  public var isStateless: Bool {
    key?.by != .mcpSessionID && !steps.contains { $0.method == Method.initialize }
      && steps.contains(where: \.isModern)
      && !steps.contains { $0.kind == .request && !$0.isModern }
  }

  /// Returns the session as a client of the target would have led it: itself, or told in the kind of revision that the target speaks.
  public func told(to target: SpokenRevisions) -> SessionScript {
    guard let revision = target.other(than: self) else { return self }
    var telling = SessionTelling(self, revision)
    return isStateless ? telling.withSession() : telling.stateless(target.mirrored)
  }
}

extension RecordedTraffic {
  /// Returns the traffic as clients of the target would have led it.
  public func told(to target: SpokenRevisions) -> RecordedTraffic {
    var traffic = self
    traffic.scripts = scripts.map { $0.told(to: target) }
    return traffic
  }
}
