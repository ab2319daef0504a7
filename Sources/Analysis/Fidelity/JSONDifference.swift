public import Basics
import MCP

/// Where two JSON values differ.
public enum JSONDifference {
  /// Returns the paths, as `uses` write them, below `at`, of the values that are not the same; members that only one has are such.
  public static func places(_ a: JSONValue, _ b: JSONValue, at: String = "") -> [String] {
    if a == b { return [] }
    switch (a, b) {
    case (.object, .object):
      var keys: [String] = []
      for member in (a.members ?? []) + (b.members ?? []) where !keys.contains(member.key) {
        keys.append(member.key)
      }
      return keys.flatMap { key -> [String] in
        let place = at + "/" + ValuePath.escaped(key)
        guard let x = a[key], let y = b[key] else { return [place] }
        return places(x, y, at: place)
      }
    case (.array(let x), .array(let y)) where x.count == y.count:
      return zip(x, y).enumerated().flatMap { places($1.0, $1.1, at: "\(at)/\($0)") }
    default: return [at]
    }
  }
}
