public import Basics
public import Redaction

/// Header fields as a trace shows them: redacted, and written as JSON once for all messages that share them.
///
/// A table with a few places for each address: memory is bounded, and a block that is not there only costs its redaction again.
public final class ShownFields {
  private struct Known {
    /// Held, so that no other block has its address.
    let block: HeaderBlock
    let shown: HeaderBlock
  }

  private static let kept = 2048
  /// Places for an address.
  private static let ways = 4
  /// Longer lists are not remembered, so that all take at most some 12 MiB.
  private static let longest = 2048

  private let memo: RedactionMemo?
  private var known = [Known?](repeating: nil, count: kept)
  // Apart: to compare them counts no reference.
  private var addresses = [ObjectIdentifier?](repeating: nil, count: kept)

  /// Remembers nothing yet; shows all as it is without a redactor.
  public init(_ redactor: Redactor?) { memo = redactor.map { RedactionMemo($0) } }

  /// Returns the fields with credentials replaced.
  public func of(_ fields: HeaderFields) -> HeaderFields {
    let block = fields.block
    let first = ShownFields.place(block)
    let address = ObjectIdentifier(block)
    for place in first..<first + ShownFields.ways where addresses[place] == address {
      if let shown = known[place]?.shown { return fields.replacing(shown) }
    }
    let redacted = memo?.fields(fields) ?? fields
    guard block.size <= ShownFields.longest else { return redacted }
    let shown = redacted.block.rendered()
    // What came last is asked for next; what came first of them goes.
    for place in (first + 1..<first + ShownFields.ways).reversed() {
      known[place] = known[place - 1]
      addresses[place] = addresses[place - 1]
    }
    addresses[first] = address
    known[first] = Known(block: block, shown: shown)
    return fields.replacing(shown)
  }

  /// The first of the places for an address: they are spread, as the lowest bits are all alike.
  private static func place(_ block: HeaderBlock) -> Int {
    let address = UInt64(UInt(bitPattern: ObjectIdentifier(block)))
    return Int(truncatingIfNeeded: (address &* 0x9e37_79b9_7f4a_7c15) >> 40) & (kept / ways - 1)
      * ways
  }
}
