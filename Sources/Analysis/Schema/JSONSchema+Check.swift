public import Basics

extension JSONSchema {
  /// Returns the first thing about `value` that does not fit, `nil` when all does.
  public func check(_ value: JSONValue) -> Failure? { check(value, root) }

  private func check(_ value: JSONValue, _ node: Node) -> Failure? {
    for rule in node.rules {
      if let failure = check(value, rule) { return failure }
    }
    return nil
  }

  private func check(_ value: JSONValue, _ rule: Rule) -> Failure? {
    switch rule {
    case .kinds(let kinds):
      guard !kinds.contains(where: value.isKind) else { return nil }
      return Failure(
        pointer: "", reason: "is not " + kinds.map(\.rawValue).joined(separator: " or "))
    case .constant(let expected):
      return value == expected ? nil : Failure(pointer: "", reason: "is not \(expected.text)")
    case .values(let values):
      guard !values.contains(value) else { return nil }
      let list = values.map { $0.string ?? $0.text }.joined(separator: ", ")
      return Failure(pointer: "", reason: "is none of " + list)
    case .range(let minimum, let maximum):
      guard let number = value.double else { return nil }
      if let minimum, number < minimum {
        return Failure(pointer: "", reason: "is less than \(plain(minimum))")
      }
      if let maximum, number > maximum {
        return Failure(pointer: "", reason: "is more than \(plain(maximum))")
      }
      return nil
    case .pattern(let regex, let text):
      guard let string = value.string, !string.contains(regex) else { return nil }
      return Failure(pointer: "", reason: "does not match \(text)")
    case .properties(let nodes, let additional): return properties(value, nodes, additional)
    case .required(let keys):
      guard value.members != nil, let key = keys.first(where: { value[$0] == nil })
      else { return nil }
      return Failure(pointer: "", reason: "lacks the required key '\(key)'")
    case .elements(let first, let rest): return elements(value, first, rest)
    case .length(let minimum, let maximum):
      guard let count = value.array?.count, count < minimum || count > maximum else { return nil }
      return Failure(pointer: "", reason: "has \(count) elements")
    case .not(let node):
      return check(value, node) == nil ? Failure(pointer: "", reason: "is not allowed") : nil
    case .oneOf(let nodes): return oneOf(value, nodes)
    case .anyOf(let nodes):
      let failures = nodes.map { check(value, $0) }
      return failures.contains(nil) ? nil : closest(failures.compactMap(\.self))
    case .reference(let name): return definitions[name].flatMap { check(value, $0) }
    }
  }

  private func properties(
    _ value: JSONValue, _ nodes: [(key: String, node: Node)], _ additional: [Node]
  ) -> Failure? {
    guard let members = value.members else { return nil }
    for (key, node) in nodes {
      guard let member = members.last(where: { $0.key == key }) else { continue }
      if let failure = check(member.value, node) { return failure.inside(key) }
    }
    for node in additional {
      for member in members where !nodes.contains(where: { $0.key == member.key }) {
        if let failure = check(member.value, node) { return failure.inside(member.key) }
      }
    }
    return nil
  }

  private func elements(_ value: JSONValue, _ first: [Node], _ rest: [Node]) -> Failure? {
    guard let elements = value.array else { return nil }
    for (i, element) in elements.enumerated() {
      guard let node = i < first.count ? first[i] : rest.first else { break }
      if let failure = check(element, node) { return failure.inside(String(i)) }
    }
    return nil
  }

  private func oneOf(_ value: JSONValue, _ nodes: [Node]) -> Failure? {
    var failures: [Failure] = []
    for node in nodes {
      if let failure = check(value, node) { failures.append(failure) }
    }
    switch nodes.count - failures.count {
    case 1: return nil
    case 0: return closest(failures)
    default: return Failure(pointer: "", reason: "fits more than one alternative")
    }
  }

  /// The failure of the alternative that was meant: the one that is not about the kind or `type` of the value.
  private func closest(_ failures: [Failure]) -> Failure? {
    failures.first { $0.pointer != "/type" } ?? failures.last
  }

  private func plain(_ number: Double) -> String {
    Int(exactly: number).map { String($0) } ?? String(number)
  }
}

extension JSONSchema.Failure {
  fileprivate func inside(_ key: String) -> JSONSchema.Failure {
    var outer = self
    let escaped = key.split(separator: "~", omittingEmptySubsequences: false)
      .joined(separator: "~0")
      .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    outer.pointer = "/" + escaped + pointer
    return outer
  }
}

extension JSONValue {
  /// True for a value of that kind; an integer is a number without fraction and exponent that fits 64 bits.
  fileprivate func isKind(_ kind: JSONSchema.Kind) -> Bool {
    switch (kind, self) {
    case (.null, .null), (.boolean, .bool), (.number, .number), (.string, .string),
      (.array, .array), (.object, .object):
      true
    case (.integer, .number): int != nil
    default: false
    }
  }
}
