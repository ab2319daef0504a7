import NIOCore

extension RawJSON {
  /// Where the member `key` of an object (the last one of that name) stands in the text; `nil` without one.
  ///
  /// White space between tokens is allowed. O(n) over the text.
  public func place(ofMember key: String) -> Range<Int>? {
    let span = bytes.readableBytesUInt8Span
    let names = JSONNames([key])
    var found: Range<Int>?
    let end = JSONScan.walkMembers(span, JSONScan.skipSpace(span, 0)) { name, value in
      if names.index(span, name) != nil { found = value }
    }
    return end == nil ? nil : found
  }

  /// Where an element of an array stands in the text; `nil` when there are not so many.
  ///
  /// White space between tokens is allowed. O(n) over the elements up to it.
  public func place(ofElement index: Int) -> Range<Int>? {
    let span = bytes.readableBytesUInt8Span
    var i = JSONScan.skipSpace(span, 0)
    guard index >= 0, i < span.count, span[i] == 0x5b else { return nil }
    var left = index
    while true {
      i = JSONScan.skipSpace(span, i + 1)
      guard i < span.count, span[i] != 0x5d, let end = JSONScan.skipValue(span, i) else {
        return nil
      }
      if left == 0 { return i..<end }
      left -= 1
      i = JSONScan.skipSpace(span, end)
      guard i < span.count, span[i] == 0x2c else { return nil }
    }
  }
}
