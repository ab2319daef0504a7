import Basics

/// A JSON Pointer (RFC 6901) in which `*` stands for one step and `**` for any number of them.
///
/// Begins with what of a message it leads into: `params`, `result`, `error`, or one of the stars. What JSON in a string holds has the
/// place that it would have without the string. All that lies below a place belongs to it.
public struct PathPattern: Hashable, Sendable {
  /// A step on the way.
  enum Step: Hashable, Sendable {
    case key([UInt8])
    case any
    case deep
  }

  /// The pattern as it was given.
  public let text: String
  let steps: [Step]

  /// Most steps: positions on the way are bits of a word.
  private static let limit = 62

  /// Reads a pattern; `nil` when it does not begin with a slash, ends with one, or is too long.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 1, parts.count <= PathPattern.limit, parts[0].isEmpty,
      !parts[parts.count - 1].isEmpty
    else { return nil }
    self.text = text
    steps = parts.dropFirst().map { part in
      switch part {
      case "*": .any
      case "**": .deep
      default:
        .key(Array(part.replacing("~1", with: "/").replacing("~0", with: "~").utf8))
      }
    }
  }

  /// Positions before the first step.
  var start: UInt64 { skipping(1) }

  /// Whether the way is at its end.
  func isEnd(_ positions: UInt64) -> Bool { positions >> UInt64(steps.count) & 1 == 1 }

  /// Positions behind one more step.
  func next(_ positions: UInt64, _ key: Span<UInt8>) -> UInt64 {
    var rest = positions
    var next: UInt64 = 0
    while rest != 0 {
      let i = rest.trailingZeroBitCount
      rest &= rest - 1
      guard i < steps.count else { continue }
      switch steps[i] {
      case .deep: next |= 1 << UInt64(i)
      case .any: next |= 1 << UInt64(i + 1)
      case .key(let wanted):
        if ByteScan.isEqual(wanted.span, key) { next |= 1 << UInt64(i + 1) }
      }
    }
    return skipping(next)
  }

  /// `**` may stand for no step.
  private func skipping(_ positions: UInt64) -> UInt64 {
    var all = positions
    for i in steps.indices where all >> UInt64(i) & 1 == 1 && steps[i] == .deep {
      all |= 1 << UInt64(i + 1)
    }
    return all
  }
}
