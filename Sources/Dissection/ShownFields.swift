public import Basics

/// Header fields as a trace shows them: redacted, and written as JSON once for all messages that share them.
///
/// A table with one place for a block: memory is bounded, and a block that is not there only costs its redaction again.
public final class ShownFields {
  private struct Known {
    /// Held, so that no other block has its address.
    let block: HeaderBlock
    let shown: HeaderBlock
  }

  private static let kept = 1024
  /// Longer lists are not remembered, so that all take at most some 12 MiB.
  private static let longest = 4096

  private let memo: RedactionMemo?
  private var known = [Known?](repeating: nil, count: kept)

  /// Remembers nothing yet; shows all as it is without a redactor.
  public init(_ redactor: Redactor?) { memo = redactor.map { RedactionMemo($0) } }

  /// Returns the fields with credentials replaced.
  public func of(_ fields: HeaderFields) -> HeaderFields {
    let block = fields.block
    let place = ShownFields.place(block)
    if let old = known[place], old.block === block { return fields.replacing(old.shown) }
    let redacted = memo?.fields(fields) ?? fields
    guard block.size <= ShownFields.longest else { return redacted }
    let shown = redacted.block.rendered()
    known[place] = Known(block: block, shown: shown)
    return fields.replacing(shown)
  }

  /// Spreads addresses, of which the lowest bits are all alike.
  private static func place(_ block: HeaderBlock) -> Int {
    let address = UInt64(UInt(bitPattern: ObjectIdentifier(block)))
    return Int(truncatingIfNeeded: (address &* 0x9e37_79b9_7f4a_7c15) >> 40) & (kept - 1)
  }
}
