import Basics

/// Values that were replaced once: equal ones that come later are replaced wherever they stand alone.
///
/// So a value that an answer gave out at a place that a rule names stays hidden in the requests it flows into. Only what is no
/// everyday word or small number is remembered, as hashes; two generations of a bounded size, so that what is in use stays.
struct KnownSecrets {
  private var young: Set<UInt64> = []
  private var old: Set<UInt64> = []

  /// Values of a generation; half a megabyte.
  private static let limit = 32_768

  var isEmpty: Bool { young.isEmpty && old.isEmpty }

  /// Whether a value is one of them.
  mutating func contains(_ value: Span<UInt8>) -> Bool {
    guard !isEmpty, KnownSecrets.isWorth(value) else { return false }
    let hash = ByteScan.hash(value)
    if young.contains(hash) { return true }
    guard old.contains(hash) else { return false }
    insert(hash)
    return true
  }

  /// Remembers a value, when it is worth it.
  mutating func insert(_ value: Span<UInt8>) {
    if KnownSecrets.isWorth(value) { insert(ByteScan.hash(value)) }
  }

  private mutating func insert(_ hash: UInt64) {
    if young.count >= KnownSecrets.limit {
      old = young
      young = []
    }
    young.insert(hash)
  }

  /// Eight bytes with a digit or a mark among them, or twenty.
  private static func isWorth(_ value: Span<UInt8>) -> Bool {
    guard value.count >= 8 else { return false }
    if value.count >= 20 { return true }
    for i in value.indices where (value[i] | 0x20) &- 0x61 >= 26 && value[i] != 0x20 { return true }
    return false
  }
}
