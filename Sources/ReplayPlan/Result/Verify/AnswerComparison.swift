import Basics
import MCP

/// What is compared of an answer and the recorded one (`--verify`).
public enum VerifyMode: String, CaseIterable, Hashable, Sendable {
  /// Nothing.
  case off
  /// Kinds of values and names of members; of lists, that each element is like one of the recorded.
  case shape
  /// Values.
  case exact
}

/// Finds the first place where an answer is not like the recorded one.
///
/// Strings that hold a JSON object or list in both are entered; their places have a `#`, as those of `uses`.
struct AnswerComparison {
  /// Where and what.
  struct Finding: Hashable {
    var at: String
    var what: String
  }

  let mode: VerifyMode
  /// Places that are not looked at: steps of a pointer, of which `*` is any one.
  let ignored: [[Substring]]

  /// Steps of a JSON Pointer; `#` begins a step of its own.
  static func steps(_ pointer: String) -> [Substring] {
    pointer.split(separator: "#", omittingEmptySubsequences: false).enumerated().flatMap {
      i, part in
      (i > 0 ? ["#"] : []) + part.split(separator: "/")
    }
  }

  func difference(_ recorded: JSONValue, _ now: JSONValue) -> Finding? {
    difference(recorded, now, [])
  }

  private func difference(_ a: JSONValue, _ b: JSONValue, _ path: [String]) -> Finding? {
    if isIgnored(path) || a == b { return nil }
    switch (a, b) {
    case (.object(let members), .object(let others)):
      for member in members where b[member.key] == nil {
        let place = path + [ValuePath.escaped(member.key)]
        if !isIgnored(place) { return finding(place, "is missing") }
      }
      for other in others {
        let place = path + [ValuePath.escaped(other.key)]
        guard let recorded = a[other.key] else {
          if isIgnored(place) { continue }
          return finding(place, "is new")
        }
        if let found = difference(recorded, other.value, place) { return found }
      }
      return nil
    case (.array(let x), .array(let y)): return lists(x, y, path)
    case (.string(let x), .string(let y)):
      if let inner = AnswerComparison.json(x), let other = AnswerComparison.json(y) {
        return difference(inner, other, path + ["#"])
      }
      return mode == .shape ? nil : finding(path, "was \(cut(a)), is \(cut(b))")
    case (.number, .number), (.bool, .bool):
      return mode == .shape ? nil : finding(path, "was \(cut(a)), is \(cut(b))")
    default: return finding(path, "was \(kind(a)), is \(kind(b))")
    }
  }

  private func lists(_ x: [JSONValue], _ y: [JSONValue], _ path: [String]) -> Finding? {
    guard mode == .shape else {
      guard x.count == y.count else {
        return finding(path, "had \(x.count) elements, has \(y.count)")
      }
      for (i, (a, b)) in zip(x, y).enumerated() {
        if let found = difference(a, b, path + ["\(i)"]) { return found }
      }
      return nil
    }
    // Of an empty list nothing is known of its elements.
    guard let first = x.first else { return nil }
    for (i, element) in y.enumerated() {
      let like = i < x.count ? x[i] : first
      guard let found = difference(like, element, path + ["\(i)"]) else { continue }
      if !x.contains(where: { difference($0, element, path + ["\(i)"]) == nil }) { return found }
    }
    return nil
  }

  private func isIgnored(_ path: [String]) -> Bool {
    ignored.contains { pattern in
      pattern.count == path.count
        && zip(pattern, path).allSatisfy { step, name in
          step == name || step == "*" && name != "#"
        }
    }
  }

  private func finding(_ path: [String], _ what: String) -> Finding {
    var at = ""
    for step in path { at += step == "#" ? "#" : "/" + step }
    return Finding(at: at, what: what)
  }

  private func kind(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }

  private func cut(_ value: JSONValue) -> String {
    let text = value.text
    return text.count <= 40 ? text : text.prefix(39) + "…"
  }

  private static func json(_ text: String) -> JSONValue? {
    guard let first = text.utf8.first(where: { $0 > 0x20 }),
      first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    else { return nil }
    return JSONValue(parsing: text)
  }
}
