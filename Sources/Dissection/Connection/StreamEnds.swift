import Basics
import Trace

/// When and how the two directions of a connection ended.
struct StreamEnds {
  /// The client's bytes ended.
  private(set) var c2s: (how: FlowEnding, at: Timestamp)?
  /// The server's bytes ended.
  private(set) var s2c: (how: FlowEnding, at: Timestamp)?
  /// Which direction ended first; decides where the times are equal.
  private var first = Direction.c2s

  /// Notes the end of a direction; only its first end counts.
  mutating func note(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    if c2s == nil, s2c == nil { first = direction }
    if direction == .c2s, c2s == nil { c2s = (how, at) }
    if direction == .s2c, s2c == nil { s2c = (how, at) }
  }

  /// True once both directions are over.
  var areBoth: Bool { c2s != nil && s2c != nil }

  /// When the client closed or reset its side, if it did.
  var clientLeftAt: Timestamp? {
    guard let c2s, c2s.how == .fin || c2s.how == .reset else { return nil }
    return c2s.at
  }

  /// When the server closed or reset its side, if it did.
  var serverLeftAt: Timestamp? {
    guard let s2c, s2c.how == .fin || s2c.how == .reset else { return nil }
    return s2c.at
  }

  /// Who closed first; the recording, when nobody did.
  var endedBy: ResponseLine.EndedBy {
    switch (clientLeftAt, serverLeftAt) {
    case (nil, nil): .capture
    case (_, nil): .client
    case (nil, _): .server
    case (let client?, let server?) where client == server: first == .c2s ? .client : .server
    case (let client?, let server?): client < server ? .client : .server
    }
  }
}
