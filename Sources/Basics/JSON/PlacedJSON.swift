public import NIOCore

/// A value in a text that is being checked: where it lies, so that nothing is made of those that nobody keeps.
public struct PlacedJSON {
  private let from: Int
  private let to: Int
  private let isSpaced: Bool
  private let members: FoundMembers?

  init(_ range: Range<Int>, isSpaced: Bool, _ members: FoundMembers?) {
    (from, to) = (range.lowerBound, range.upperBound)
    self.isSpaced = isSpaced
    self.members = members
  }

  /// Where it lies in the text.
  public var range: Range<Int> { from..<to }

  /// What kind of value it is.
  public func kind(in text: Span<UInt8>) -> RawJSON.Kind { RawJSON.Kind(firstByte: text[from]) }

  /// The value as a compact text of its own, and where its members lie that were looked for: `nil` where they have to be read again.
  ///
  /// `text` is what was checked. A value without white space between its tokens is sliced, not copied.
  public func json(in text: ByteBuffer) -> (json: RawJSON, members: FoundMembers?) {
    guard isSpaced else { return (RawJSON(trusted: text).slice(from, to), members) }
    var moved = members
    let bytes = RawJSON.compact(text.readableSpan, from..<to, moving: &moved)
    return (RawJSON(trusted: bytes), moved)
  }
}
