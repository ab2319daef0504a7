public import Basics
import NIOCore
public import Trace

/// Which value of an answer a later request takes.
public struct ValueSource: Hashable, Sendable {
  /// Where it stands in the result, or which header it is.
  public var path: ValuePath
  /// What is around it in a longer text.
  public var within: ValueUse.Surroundings?

  /// Creates a source.
  public init(path: ValuePath, within: ValueUse.Surroundings? = nil) {
    self.path = path
    self.within = within
  }

  /// Returns the value that this answer gives; `nil` when it has none there, or `null`.
  ///
  /// A server of another version may say in `structuredContent` what the recorded one said in a text, or the other way
  /// round: when the path leads nowhere, the value is looked for there.
  public func value(in result: RawJSON?, headers: HeaderFields?) -> RawJSON? {
    if let name = path.header, let value = headers?.first(name) {
      return part(of: RawJSON(.string(value)))
    }
    guard let result else { return nil }
    for path in [path] + path.alternatives {
      guard let found = path.value(in: result), let value = part(of: found) else { continue }
      return value.kind == .null ? nil : value
    }
    return nil
  }

  private func part(of found: RawJSON) -> RawJSON? {
    guard let within else { return found }
    guard let text = found.string else { return nil }
    let bytes = Array(text.utf8)
    return within.range(in: bytes).map {
      RawJSON(.string(String(decoding: bytes[$0], as: UTF8.self)))
    }
  }
}

extension ValuePath {
  /// Where servers of other versions say the same.
  ///
  /// SDK servers put a structured value also as JSON into the first text, and wrap what is no object as `result`.
  var alternatives: [ValuePath] {
    let text: [Step] = [.child("content"), .child("0"), .child("text")]
    let structured: [Step] = [.child("structuredContent")]
    let wrapped = structured + [.child("result")]
    func path(_ head: [Step], _ tail: some Sequence<Step>) -> ValuePath {
      ValuePath(steps: head + tail)
    }
    if steps.starts(with: wrapped) {
      let rest = steps.dropFirst(2)
      let whole = path(text + [.json], steps.dropFirst())
      return rest.isEmpty || rest.first == .json
        ? [path(text, rest), whole] : [whole, path(text + [.json], rest)]
    }
    if steps.starts(with: structured) { return [path(text + [.json], steps.dropFirst())] }
    guard steps.starts(with: text) else { return [] }
    let rest = steps.dropFirst(3)
    guard rest.first == .json else { return [path(wrapped, rest)] }
    return [
      path(structured, rest.dropFirst()), path(wrapped, rest), path(wrapped, rest.dropFirst()),
    ]
  }
}

extension ValueUse.Surroundings {
  /// Where the value stands in a text in UTF-8: behind the first `before`, up to the next `after`; never empty.
  ///
  /// O(n) over the text and the surroundings.
  public func range(in text: [UInt8]) -> Range<Int>? {
    var start = 0
    if !before.isEmpty {
      guard let found = Array(before.utf8).first(in: text, from: 0) else { return nil }
      start = found + before.utf8.count
    }
    guard start < text.count else { return nil }
    if after.isEmpty { return start..<text.count }
    return Array(after.utf8).first(in: text, from: start + 1).map { start..<$0 }
  }
}

extension [UInt8] {
  /// Returns where these bytes (at least one) stand first in others; Knuth, Morris and Pratt 1977: linear whatever both are.
  fileprivate func first(in text: [UInt8], from start: Int) -> Int? {
    var border = [Int](repeating: 0, count: count)
    var k = 0
    for i in indices.dropFirst() {
      while k > 0, self[i] != self[k] { k = border[k - 1] }
      if self[i] == self[k] { k += 1 }
      border[i] = k
    }
    k = 0
    for i in text.indices.dropFirst(start) {
      while k > 0, text[i] != self[k] { k = border[k - 1] }
      if text[i] == self[k] { k += 1 }
      if k == count { return i + 1 - count }
    }
    return nil
  }
}
