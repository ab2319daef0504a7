/// The header fields of one message, in wire order and case.
///
/// A message has ten fields and more, and nobody looks at most of them: text is made of a field only for who asks. Messages of
/// one sender are the same but for their length: they share one `HeaderBlock`, and each has the digits of its own. The block
/// is a copy, so that a message that stays open holds a few hundred bytes and not the packets that brought them.
public struct HeaderFields: Sendable {
  /// The fields, but for the value of the one that varies.
  public let block: HeaderBlock
  /// That value, where it is not the block's own.
  private let varied: Digits
  private let isVaried: Bool

  /// A few digits.
  public struct Digits: Sendable {
    /// Most that there may be.
    public static let limit = 15
    private var bytes: [15 of UInt8] = .init(repeating: 0)
    private var count: UInt8 = 0

    fileprivate init() {}

    /// Copies digits; traps when there are too many.
    public init(_ text: Span<UInt8>) {
      precondition(text.count <= Digits.limit, "a length has few digits")
      for i in text.indices { bytes[i] = text[i] }
      count = UInt8(text.count)
    }

    /// Their text.
    var text: Span<UInt8> {
      @_lifetime(borrow self) borrowing get { bytes.span.extracting(0..<Int(count)) }
    }
  }

  /// Creates a list without fields.
  public init() { self.init(HeaderBlock.empty) }

  /// Creates the list of a block, with a value of its own where those of the block's messages differ.
  public init(_ block: HeaderBlock, varied: Digits? = nil) {
    self.block = block
    isVaried = varied != nil && block.varying != nil
    self.varied = varied ?? Digits()
  }

  /// Creates a list of fields.
  public init(_ fields: some Sequence<HeaderField>) {
    var draft = HeaderDraft()
    for field in fields { draft.append(field) }
    self.init(draft.block)
  }

  /// The same list over a block with the same fields, of which some have other values.
  public func replacing(_ block: HeaderBlock) -> HeaderFields {
    HeaderFields(block, varied: isVaried ? varied : nil)
  }

  /// The same list with another value of the first field of that name.
  public func replacingValue(of name: String, by value: String) -> HeaderFields {
    guard let i = firstIndex(named: name) else { return self }
    var draft = HeaderDraft(block)
    draft.setValue(i, value.utf8Span.span)
    return replacing(draft.block)
  }

  /// The name of field `i`.
  @_lifetime(borrow self)
  public borrowing func name(_ i: Int) -> Span<UInt8> {
    // Proof of safety: `self` keeps its block while it is borrowed, and the block's text never changes.
    let all = unsafe block.text.withUnsafeBufferPointer { unsafe $0 }
    let text = unsafe Span(_unsafeElements: all)
    return unsafe _overrideLifetime(text.extracting(block.nameRange(i)), borrowing: self)
  }

  /// The value of field `i`.
  @_lifetime(borrow self)
  public borrowing func value(_ i: Int) -> Span<UInt8> {
    if i == block.varying, isVaried { return varied.text }
    // Proof of safety: as with the name.
    let all = unsafe block.text.withUnsafeBufferPointer { unsafe $0 }
    let text = unsafe Span(_unsafeElements: all)
    return unsafe _overrideLifetime(text.extracting(block.valueRange(i)), borrowing: self)
  }

  /// The value of the field that varies, where it is this message's own.
  var ownValue: Span<UInt8>? {
    @_lifetime(borrow self) borrowing get {
      guard isVaried else { return nil }
      return varied.text
    }
  }

  /// The index of the first field of that name.
  public func firstIndex(_ field: KnownField) -> Int? { block.firstIndex(field) }

  /// Whether there is a field of that name.
  public func has(_ field: KnownField) -> Bool { block.firstIndex(field) != nil }

  /// The value of the first field of that name.
  public func first(_ field: KnownField) -> String? {
    guard let i = block.firstIndex(field) else { return nil }
    let value = value(i)
    return ByteScan.string(value, 0..<value.count)
  }

  /// Whether the value of the first field of that name begins with ASCII text in lower case, compared without case.
  public func begins(_ field: KnownField, with text: String) -> Bool {
    guard let i = block.firstIndex(field) else { return false }
    let value = value(i)
    guard value.count >= text.utf8.count else { return false }
    return isSameIgnoringCase(value.extracting(0..<text.utf8.count), text.utf8Span.span)
  }

  /// The index of the first field of that name, compared without case (RFC 9110 §5.1).
  public func firstIndex(named name: String) -> Int? { indices.first { isNamed($0, name) } }

  /// The indices of all fields of that name, compared without case.
  public func indices(named name: String) -> [Int] { indices.filter { isNamed($0, name) } }

  /// Returns whether field `i` has this name, compared without case.
  public func isNamed(_ i: Int, _ name: String) -> Bool {
    guard block.nameRange(i).count == name.utf8.count else { return false }
    return isSameIgnoringCase(self.name(i), name.utf8Span.span)
  }

  /// The value of the first field of that name, compared without case.
  public func first(_ name: String) -> String? { firstIndex(named: name).map { self[$0].value } }
}

extension HeaderFields: RandomAccessCollection {
  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of fields.
  public var endIndex: Int { block.places.count }

  /// The field at `i` as text.
  public subscript(i: Int) -> HeaderField {
    let (name, value) = (name(i), value(i))
    return HeaderField(
      ByteScan.string(name, 0..<name.count), ByteScan.string(value, 0..<value.count))
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
