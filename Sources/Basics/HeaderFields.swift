/// The header fields of one message, in wire order and case, as one piece of text and the places of names and values in it.
///
/// A message has ten fields and more, and nobody looks at most of them: text is made of a field only for who asks. The text is
/// a copy, so that a message that stays open holds its own few hundred bytes and not the packets that brought them.
public struct HeaderFields: Sendable {
  /// Where a field's name and value lie in the text.
  private struct Place {
    var name: Range<UInt32>
    var value: Range<UInt32>
  }

  /// UTF-8 in which all names and values lie.
  public private(set) var text: [UInt8]
  private var places: [Place]

  /// Creates a list without fields.
  public init() {
    text = []
    places = []
  }

  /// Creates a list without fields whose names and values will lie in `text`, which is UTF-8 and at most 4 GiB; copies it.
  public init(lyingIn text: Span<UInt8>) {
    self.text = unsafe text.withUnsafeBufferPointer { unsafe Array($0) }
    places = []
    places.reserveCapacity(16)
  }

  /// Creates a list of fields.
  public init(_ fields: some Sequence<HeaderField>) {
    self.init()
    for field in fields { append(field) }
  }

  /// Adds a field that lies in the text; traps when it does not.
  public mutating func add(name: Range<Int>, value: Range<Int>) {
    precondition(name.upperBound <= text.count && value.upperBound <= text.count)
    places.append(
      Place(
        name: UInt32(name.lowerBound)..<UInt32(name.upperBound),
        value: UInt32(value.lowerBound)..<UInt32(value.upperBound)))
  }

  /// Adds a field.
  public mutating func append(_ field: HeaderField) {
    let start = text.count
    text += field.name.utf8
    let middle = text.count
    text += field.value.utf8
    add(name: start..<middle, value: middle..<text.count)
  }

  /// Where the name of field `i` lies in `text`.
  public func nameRange(_ i: Int) -> Range<Int> {
    Int(places[i].name.lowerBound)..<Int(places[i].name.upperBound)
  }

  /// Where the value of field `i` lies in `text`.
  public func valueRange(_ i: Int) -> Range<Int> {
    Int(places[i].value.lowerBound)..<Int(places[i].value.upperBound)
  }

  /// Replaces the value of field `i` by UTF-8 text.
  public mutating func setValue(_ i: Int, _ value: Span<UInt8>) {
    let old = valueRange(i)
    if value.count == old.count {
      var span = text.mutableSpan
      for k in value.indices { span[old.lowerBound + k] = value[k] }
    } else {
      let start = text.count
      for k in value.indices { text.append(value[k]) }
      places[i].value = UInt32(start)..<UInt32(text.count)
    }
  }

  /// The index of the first field of that name, compared without case (RFC 9110 §5.1).
  public func firstIndex(named name: String) -> Int? {
    let wanted = name.utf8Span.span
    let text = text.span
    for i in places.indices where places[i].name.count == wanted.count {
      if isSameIgnoringCase(text.extracting(nameRange(i)), wanted) { return i }
    }
    return nil
  }

  /// The indices of all fields of that name, compared without case.
  public func indices(named name: String) -> [Int] { indices.filter { isNamed($0, name) } }

  /// Returns whether field `i` has this name, compared without case.
  public func isNamed(_ i: Int, _ name: String) -> Bool {
    guard places[i].name.count == name.utf8.count else { return false }
    return isSameIgnoringCase(text.span.extracting(nameRange(i)), name.utf8Span.span)
  }

  /// The value of the first field of that name, compared without case.
  public func first(_ name: String) -> String? {
    firstIndex(named: name).map { ByteScan.string(text.span, valueRange($0)) }
  }
}

extension HeaderFields: RandomAccessCollection {
  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of fields.
  public var endIndex: Int { places.count }

  /// The field at `i` as text.
  public subscript(i: Int) -> HeaderField {
    HeaderField(
      ByteScan.string(text.span, nameRange(i)), ByteScan.string(text.span, valueRange(i)))
  }
}

extension HeaderFields: Hashable {
  /// Lists are the same when their fields are, wherever these lie.
  public static func == (a: HeaderFields, b: HeaderFields) -> Bool { a.elementsEqual(b) }

  /// Hashes the fields.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for field in self { hasher.combine(field) }
  }
}

extension HeaderFields: ExpressibleByArrayLiteral {
  /// Creates a list of fields.
  public init(arrayLiteral fields: HeaderField...) { self.init(fields) }
}
