/// A TCP sequence number: arithmetic modulo 2^32 (RFC 9293 §3.4).
struct SequenceNumber: Hashable {
  var value: UInt32

  init(_ value: UInt32) { self.value = value }

  /// Returns how far `self` lies ahead of `other`, negative when behind; right within 2 GiB.
  func distance(from other: SequenceNumber) -> Int {
    Int(Int32(bitPattern: value &- other.value))
  }

  static func + (a: SequenceNumber, count: Int) -> SequenceNumber {
    SequenceNumber(a.value &+ UInt32(truncatingIfNeeded: count))
  }
}
