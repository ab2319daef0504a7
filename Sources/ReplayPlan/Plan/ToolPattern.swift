/// A tool name in which `*` stands for any text and `?` for one byte.
public struct ToolPattern: Hashable, Sendable, CustomStringConvertible {
  /// The pattern as it was given.
  public let description: String

  /// Creates a pattern.
  public init(_ text: String) { description = text }

  /// Returns whether the whole name matches.
  public func matches(_ name: String) -> Bool {
    let pattern = Array(description.utf8)
    let text = Array(name.utf8)
    var (p, t) = (0, 0)
    var star: (p: Int, t: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = (p, t)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
        p += 1
        t += 1
      } else if let last = star {
        star = (last.p, last.t + 1)
        p = last.p + 1
        t = last.t + 1
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
