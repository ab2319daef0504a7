public import Basics

/// The part of JSON Schema (draft 2020-12) that a trace's schema uses.
///
/// Theory: a schema is compiled into rules, the cheap and telling ones first, so that of many alternatives that
/// are told apart by a `const` only one is looked at closely. A keyword outside the subset is refused when the
/// schema is compiled: a rule that is not understood must not pass in silence.
public struct JSONSchema {
  /// The schema itself cannot be used.
  public struct Unsupported: Error, Hashable, Sendable {
    /// The keyword that is unknown or has a value of a wrong kind.
    public let keyword: String
  }

  /// Why a value does not fit.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// JSON Pointer to the part that does not fit; empty for the value itself.
    public internal(set) var pointer: String
    /// What was expected of it.
    public let reason: String

    /// One sentence: where, and what.
    public var description: String { pointer.isEmpty ? reason : "'\(pointer)' \(reason)" }
  }

  enum Kind: String {
    case null, boolean, integer, number, string, array, object
  }

  /// One thing that is demanded of a value.
  enum Rule {
    case kinds([Kind])
    case constant(JSONValue)
    case values([JSONValue])
    case range(minimum: Double?, maximum: Double?)
    case pattern(Regex<AnyRegexOutput>, text: String)
    case properties([(key: String, node: Node)], additional: [Node])
    case required([String])
    case elements(first: [Node], rest: [Node])
    case length(minimum: Int, maximum: Int)
    case not(Node)
    case oneOf([Node])
    case anyOf([Node])
    case reference(String)
  }

  /// A schema or subschema; no rules: anything goes.
  struct Node {
    var rules: [Rule] = []
  }

  let root: Node
  let definitions: [String: Node]

  /// Compiles a schema.
  ///
  /// - Throws: `Unsupported` for a keyword outside the subset, or a `$ref` that leads nowhere.
  public init(_ schema: JSONValue) throws(Unsupported) {
    root = try Node(schema)
    var definitions: [String: Node] = [:]
    for member in schema["$defs"]?.members ?? [] {
      definitions[member.key] = try Node(member.value)
    }
    self.definitions = definitions
    for node in [root] + definitions.values { try node.resolve(definitions) }
  }
}

extension JSONSchema.Node {
  private static let annotations: Set<String> = ["$schema", "$defs", "title", "description"]

  init(_ schema: JSONValue) throws(JSONSchema.Unsupported) {
    guard let members = schema.members else { throw JSONSchema.Unsupported(keyword: schema.text) }
    var left = Set(members.map(\.key)).subtracting(JSONSchema.Node.annotations)
    func take(_ keyword: String) -> JSONValue? {
      left.remove(keyword) == nil ? nil : schema[keyword]
    }
    if let value = take("type") {
      let names = (value.array ?? [value]).compactMap(\.string)
      let kinds = names.compactMap(JSONSchema.Kind.init(rawValue:))
      guard !kinds.isEmpty, kinds.count == names.count else { throw .init(keyword: "type") }
      rules.append(.kinds(kinds))
    }
    if let value = take("const") { rules.append(.constant(value)) }
    if let value = take("enum") { rules.append(.values(try JSONSchema.Node.array(value, "enum"))) }
    let (minimum, maximum) = (take("minimum"), take("maximum"))
    if minimum != nil || maximum != nil {
      rules.append(.range(minimum: minimum?.double, maximum: maximum?.double))
    }
    if let value = take("pattern") {
      guard let text = value.string else { throw .init(keyword: "pattern") }
      do {
        rules.append(.pattern(try Regex(text), text: text))
      } catch {
        throw .init(keyword: "pattern")
      }
    }
    let (properties, additional) = (take("properties"), take("additionalProperties"))
    if properties != nil || additional != nil {
      var nodes: [(key: String, node: JSONSchema.Node)] = []
      for member in properties?.members ?? [] {
        nodes.append((member.key, try JSONSchema.Node(member.value)))
      }
      rules.append(
        .properties(nodes, additional: try JSONSchema.Node.nodes(additional.map { [$0] })))
    }
    if let value = take("required") {
      let keys = try JSONSchema.Node.array(value, "required").compactMap(\.string)
      rules.append(.required(keys))
    }
    let (first, rest) = (take("prefixItems"), take("items"))
    if first != nil || rest != nil {
      rules.append(
        .elements(
          first: try JSONSchema.Node.nodes(first?.array),
          rest: try JSONSchema.Node.nodes(rest.map { [$0] })))
    }
    let (least, most) = (take("minItems"), take("maxItems"))
    if least != nil || most != nil {
      rules.append(
        .length(minimum: Int(least?.int ?? 0), maximum: most?.int.map { Int($0) } ?? .max))
    }
    if let value = take("not") { rules.append(.not(try JSONSchema.Node(value))) }
    if let value = take("oneOf") { rules.append(.oneOf(try JSONSchema.Node.nodes(value.array))) }
    if let value = take("anyOf") { rules.append(.anyOf(try JSONSchema.Node.nodes(value.array))) }
    if let value = take("$ref") {
      let prefix = "#/$defs/"
      guard let text = value.string, text.hasPrefix(prefix) else { throw .init(keyword: "$ref") }
      rules.append(.reference(String(text.dropFirst(prefix.count))))
    }
    if let unknown = left.min() { throw .init(keyword: unknown) }
  }

  private static func array(
    _ value: JSONValue, _ keyword: String
  ) throws(JSONSchema.Unsupported) -> [JSONValue] {
    guard let array = value.array else { throw .init(keyword: keyword) }
    return array
  }

  private static func nodes(
    _ values: [JSONValue]?
  ) throws(JSONSchema.Unsupported) -> [JSONSchema.Node] {
    var nodes: [JSONSchema.Node] = []
    for value in values ?? [] { nodes.append(try JSONSchema.Node(value)) }
    return nodes
  }

  /// Checks that every `$ref` leads somewhere.
  func resolve(_ definitions: [String: JSONSchema.Node]) throws(JSONSchema.Unsupported) {
    for rule in rules {
      switch rule {
      case .reference(let name):
        guard definitions[name] != nil else { throw .init(keyword: "$ref") }
      case .properties(let nodes, let additional):
        for node in nodes.map(\.node) + additional { try node.resolve(definitions) }
      case .elements(let first, let rest):
        for node in first + rest { try node.resolve(definitions) }
      case .oneOf(let nodes), .anyOf(let nodes):
        for node in nodes { try node.resolve(definitions) }
      case .not(let node): try node.resolve(definitions)
      case .kinds, .constant, .values, .range, .pattern, .required, .length: break
      }
    }
  }
}
