public import NIOCore

/// The handshake of a SOCKS connection, one direction: what precedes the bytes of the connection that was asked for.
///
/// Theory (SOCKS 4, 4a; RFC 1928, RFC 1929): each direction is a fixed sequence of messages that tell their own
/// lengths, so a direction can be followed without the other. A client that spoke of authentication shows it by the
/// first byte of its next message (1: RFC 1929, 5: the request).
public struct SOCKSHandshake: Sendable {
  /// Whose bytes these are.
  public enum Role: Sendable {
    /// The client's.
    case client
    /// The proxy's.
    case server
  }

  /// How far the handshake is.
  public enum Progress: Equatable, Sendable {
    /// More bytes are needed.
    case more
    /// This many bytes were the handshake; what follows belongs to the connection behind it.
    case over(Int)
    /// These bytes are no handshake.
    case none
  }

  private static let longestMessage = 1024
  private let role: Role

  /// Creates a reader of one direction.
  public init(role: Role) { self.role = role }

  /// Returns whether a client's first bytes are a handshake's first message and nothing else, as clients wait for an answer.
  public static func begins(_ bytes: ByteBuffer) -> Bool {
    let span = bytes.readableBytesUInt8Span
    guard span.count >= 3 else { return false }
    if span[0] == 5 {
      let methods = Int(span[1])
      return methods > 0 && methods < 10 && span.count == 2 + methods
        && (2..<span.count).allSatisfy { span[$0] < 10 || span[$0] >= 0x80 }
    }
    guard span[0] == 4, span[1] == 1 || span[1] == 2 else { return false }
    return requestLength4(span) == span.count
  }

  /// Looks at all bytes of the direction so far.
  public func progress(_ bytes: ByteBuffer) -> Progress {
    let span = bytes.readableBytesUInt8Span
    guard span.count > 0 else { return .more }
    if span.count > SOCKSHandshake.longestMessage {
      return prefix(span, SOCKSHandshake.longestMessage)
    }
    return prefix(span, span.count)
  }

  private func prefix(_ bytes: Span<UInt8>, _ count: Int) -> Progress {
    let span = bytes.extracting(0..<count)
    let length: Int?
    switch (role, span[0]) {
    case (.client, 4): length = SOCKSHandshake.requestLength4(span)
    case (.server, 0): length = 8
    case (.client, 5): length = SOCKSHandshake.clientLength5(span)
    case (.server, 5): length = SOCKSHandshake.serverLength5(span)
    default: return .none
    }
    guard let length, length <= count else {
      return bytes.count > count ? .none : .more
    }
    return .over(length)
  }

  /// CD, port, address, user; the name where the address is 0.0.0.x (4a).
  private static func requestLength4(_ s: Span<UInt8>) -> Int? {
    guard s.count >= 9, let user = zero(s, 8) else { return nil }
    let hasName = s[4] == 0 && s[5] == 0 && s[6] == 0 && s[7] != 0
    return hasName ? zero(s, user + 1).map { $0 + 1 } : user + 1
  }

  private static func zero(_ s: Span<UInt8>, _ from: Int) -> Int? {
    (min(from, s.count)..<s.count).first { s[$0] == 0 }
  }

  private static func clientLength5(_ s: Span<UInt8>) -> Int? {
    guard s.count >= 2 else { return nil }
    var i = 2 + Int(s[1])
    if i < s.count, s[i] == 1 {
      guard i + 1 < s.count else { return nil }
      let name = i + 2 + Int(s[i + 1])
      guard name < s.count else { return nil }
      i = name + 1 + Int(s[name])
    }
    return address(s, i)
  }

  private static func serverLength5(_ s: Span<UInt8>) -> Int? {
    guard s.count >= 2 else { return nil }
    // Refused: nothing follows.
    if s[1] == 0xff { return 2 }
    return address(s, s[1] == 2 ? 4 : 2)
  }

  /// Version, command or reply, reserved, address by its type, port.
  private static func address(_ s: Span<UInt8>, _ i: Int) -> Int? {
    guard i + 4 < s.count else { return nil }
    return switch s[i + 3] {
    case 1: i + 10
    case 4: i + 22
    default: i + 7 + Int(s[i + 4])
    }
  }
}
