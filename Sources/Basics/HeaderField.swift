/// An HTTP header field in wire order and case.
public struct HeaderField: Hashable, Sendable {
  /// Field name as sent.
  public var name: String
  /// Field value without surrounding white space; in a trace a surrogate where it was a credential.
  public var value: String

  /// Creates a field.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// Returns whether the field has this name, compared without case (RFC 9110 §5.1).
  public func named(_ name: String) -> Bool {
    isSameIgnoringCase(self.name.utf8Span.span, name.utf8Span.span)
  }
}

extension [HeaderField] {
  /// The value of the first field of that name, compared without case.
  public func first(_ name: String) -> String? { first { $0.named(name) }?.value }
}

/// Returns `byte` in lower case when it is an ASCII letter.
@inlinable
public func asciiLowercase(_ byte: UInt8) -> UInt8 {
  byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
}

/// Returns whether two texts are the same but for the case of ASCII letters.
public func isSameIgnoringCase(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
  guard a.count == b.count else { return false }
  for i in a.indices where a[i] != b[i] {
    guard asciiLowercase(a[i]) == asciiLowercase(b[i]) else { return false }
  }
  return true
}
