public import NIOCore

/// A JSON value for the cold paths: analysis, planning, rendering. Numbers keep their token.
public indirect enum JSONValue: Hashable, Sendable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// The number's token, unchanged.
  case number(String)
  /// The unescaped string; lone surrogates become U+FFFD.
  case string(String)
  /// Elements in order.
  case array([JSONValue])
  /// Members in order; duplicate keys are kept, look-ups see the last.
  case object([Member])

  /// A member of an object.
  public struct Member: Hashable, Sendable {
    /// The unescaped name.
    public var key: String
    /// The value.
    public var value: JSONValue

    /// Creates a member.
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// Wraps an integer.
  public static func int(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

  /// Parses exactly one JSON text in UTF-8; `nil` when it is not valid.
  public init?(parsing buffer: ByteBuffer) {
    guard isUTF8(buffer.readableSpan) else { return nil }
    self.init(trusted: buffer)
  }

  /// Parses bytes that are known to be UTF-8.
  init?(trusted buffer: ByteBuffer) {
    let span = buffer.readableSpan
    var i = JSONScan.skipSpace(span, 0)
    guard let value = JSONValue.parse(span, &i, depth: 0), JSONScan.skipSpace(span, i) == span.count
    else { return nil }
    self = value
  }

  /// Parses exactly one JSON text; `nil` when it is not valid.
  public init?(parsing text: String) { self.init(parsing: ByteBuffer(string: text)) }

  /// The member `key` of an object (the last one of that name), else `nil`.
  public subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  /// The element at `index` of an array, else `nil`.
  public subscript(_ index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// The string, when it is one.
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  /// The elements, when it is an array.
  public var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  /// The members, when it is an object.
  public var members: [Member]? { if case .object(let members) = self { members } else { nil } }
  /// The boolean, when it is one.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The number as an integer, when it is one that fits.
  public var int: Int64? { if case .number(let token) = self { Int64(token) } else { nil } }
  /// The number as a double, when it is one.
  public var double: Double? { if case .number(let token) = self { Double(token) } else { nil } }

  /// Appends the value as compact JSON.
  func write(to out: inout OutputBytes) {
    switch self {
    case .null: out.append("null")
    case .bool(let value): out.append(value ? "true" : "false")
    case .number(let token): out.append(token.utf8Span.span)
    case .string(let text): out.appendJSONString(text.utf8Span.span)
    case .array(let elements):
      out.append(UInt8(ascii: "["))
      for (i, element) in elements.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        element.write(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (i, member) in members.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        out.appendJSONString(member.key.utf8Span.span)
        out.append(UInt8(ascii: ":"))
        member.value.write(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  /// The value as compact JSON text.
  public var text: String { String(buffer: RawJSON(self).bytes) }

  private static func parse(_ s: Span<UInt8>, _ i: inout Int, depth: Int) -> JSONValue? {
    guard i < s.count, depth < JSONScan.depthLimit else { return nil }
    let start = i
    switch s[i] {
    case 0x22:
      guard let end = JSONScan.skipString(s, i) else { return nil }
      i = end
      return .string(unescape(s, start + 1, end - 1))
    case 0x7b:
      var members: [Member] = []
      i = JSONScan.skipSpace(s, i + 1)
      if i < s.count, s[i] == 0x7d {
        i += 1
        return .object(members)
      }
      while i < s.count {
        guard s[i] == 0x22, let end = JSONScan.skipString(s, i) else { return nil }
        let key = unescape(s, i + 1, end - 1)
        i = JSONScan.skipSpace(s, end)
        guard i < s.count, s[i] == 0x3a else { return nil }
        i = JSONScan.skipSpace(s, i + 1)
        guard let value = parse(s, &i, depth: depth + 1) else { return nil }
        members.append(Member(key, value))
        i = JSONScan.skipSpace(s, i)
        guard i < s.count else { return nil }
        i += 1
        if s[i - 1] == 0x7d { return .object(members) }
        guard s[i - 1] == 0x2c else { return nil }
        i = JSONScan.skipSpace(s, i)
      }
      return nil
    case 0x5b:
      var elements: [JSONValue] = []
      i = JSONScan.skipSpace(s, i + 1)
      if i < s.count, s[i] == 0x5d {
        i += 1
        return .array(elements)
      }
      while i < s.count {
        guard let value = parse(s, &i, depth: depth + 1) else { return nil }
        elements.append(value)
        i = JSONScan.skipSpace(s, i)
        guard i < s.count else { return nil }
        i += 1
        if s[i - 1] == 0x5d { return .array(elements) }
        guard s[i - 1] == 0x2c else { return nil }
        i = JSONScan.skipSpace(s, i)
      }
      return nil
    case 0x2d, 0x30...0x39:
      guard let end = JSONScan.skipNumber(s, i) else { return nil }
      i = end
      return .number(string(s, start, end))
    default:
      guard let end = JSONScan.skipLiteral(s, i) else { return nil }
      i = end
      return s[start] == 0x6e ? .null : .bool(s[start] == 0x74)
    }
  }

  private static func string(_ s: Span<UInt8>, _ from: Int, _ to: Int) -> String {
    ByteScan.string(s, from..<to)
  }

  /// Returns the text between the quotes with its escapes resolved (RFC 8259 §7).
  static func unescape(_ s: Span<UInt8>, _ from: Int, _ to: Int) -> String {
    if ByteScan.endOfPlainText(s, from) >= to { return string(s, from, to) }
    var out: [UInt8] = []
    JSONScan.unescape(s, from..<to, into: &out)
    return String(decoding: out, as: UTF8.self)
  }
}
