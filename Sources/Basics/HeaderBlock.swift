/// The header fields of a message as they were read or made: one piece of text, and where names and values lie in it.
///
/// Never changes, so that all messages that say the same share one. What is asked of every message (`KnownField`) is looked
/// for once.
public final class HeaderBlock: Sendable {
  /// Its fields as JSON: an array of `[name, value]` pairs.
  public struct JSON: Sendable {
    /// The text.
    public let text: [UInt8]
    /// Where the value of the field that differs from message to message lies in it; empty at its end where there is none.
    public let varying: Range<Int>
  }

  /// Where a field's name and value lie in the text.
  struct Place {
    var name: Range<UInt32>
    var value: Range<UInt32>
  }

  /// UTF-8 in which all names and values lie.
  let text: [UInt8]
  let places: [Place]
  /// The fields as JSON, where they are written more than once.
  public let json: JSON?
  /// The field whose value may differ between the messages that share this block.
  public let varying: Int?
  let known: KnownField.Indices

  init(_ text: [UInt8], _ places: [Place], known: KnownField.Indices, varying: Int?, json: JSON?) {
    self.text = text
    self.places = places
    self.known = known
    self.varying = varying
    self.json = json
  }

  /// No fields.
  static let empty = HeaderBlock([], [], known: KnownField.Indices(), varying: nil, json: nil)

  /// Where the value of that field lies in the text.
  public var varyingRange: Range<Int>? { varying.map(valueRange) }

  /// Bytes of its text.
  public var size: Int { text.count }

  /// The index of the first field of that name.
  @inline(__always)
  func firstIndex(_ field: KnownField) -> Int? { known[field] }

  func nameRange(_ i: Int) -> Range<Int> {
    Int(places[i].name.lowerBound)..<Int(places[i].name.upperBound)
  }

  func valueRange(_ i: Int) -> Range<Int> {
    Int(places[i].value.lowerBound)..<Int(places[i].value.upperBound)
  }

  /// Returns the same fields with their JSON made.
  public func rendered() -> HeaderBlock {
    let all = text
    let text = all.span
    var out = OutputBytes(capacity: text.count + 16 * places.count + 16)
    var place = 0..<0
    out.append(0x5b)
    for i in places.indices {
      out.append(i > 0 ? ",[" : "[")
      out.appendJSONString(text.extracting(nameRange(i)))
      out.append(0x2c)
      let start = out.count
      out.appendJSONString(text.extracting(valueRange(i)))
      if i == varying { place = start + 1..<out.count - 1 }
      out.append(0x5d)
    }
    out.append(0x5d)
    if varying == nil { place = out.count..<out.count }
    let json = JSON(text: out.array, varying: place)
    return HeaderBlock(all, places, known: known, varying: varying, json: json)
  }
}

/// Header fields in the making.
public struct HeaderDraft {
  /// UTF-8 in which names and values lie.
  private(set) var text: [UInt8]
  private var places: [HeaderBlock.Place] = []
  private var known = KnownField.Indices()
  private var varying: Int?

  /// Creates a list without fields.
  public init() { text = [] }

  /// Creates a list without fields whose names and values will lie in `text`, which is UTF-8 and at most 4 GiB; copies it.
  public init(lyingIn text: Span<UInt8>) {
    self.text = unsafe text.withUnsafeBufferPointer { unsafe Array($0) }
    places.reserveCapacity(16)
  }

  /// Creates a list of the fields of a block.
  public init(_ block: HeaderBlock) {
    text = block.text
    places = block.places
    known = block.known
    varying = block.varying
  }

  /// Adds a field that lies in the text; traps when it does not.
  public mutating func add(name: Range<Int>, value: Range<Int>) {
    precondition(name.upperBound <= text.count && value.upperBound <= text.count)
    places.append(
      HeaderBlock.Place(
        name: UInt32(name.lowerBound)..<UInt32(name.upperBound),
        value: UInt32(value.lowerBound)..<UInt32(value.upperBound)))
    note(places.count - 1)
  }

  /// Adds a field.
  public mutating func append(_ field: HeaderField) {
    let start = text.count
    text += field.name.utf8
    let middle = text.count
    text += field.value.utf8
    add(name: start..<middle, value: middle..<text.count)
  }

  /// Replaces the value of field `i` by UTF-8 text.
  public mutating func setValue(_ i: Int, _ value: Span<UInt8>) {
    if varying == i { varying = nil }
    let start = text.count
    for k in value.indices { text.append(value[k]) }
    places[i].value = UInt32(start)..<UInt32(text.count)
  }

  /// Says that messages that share the block may differ in the value of field `i`, or in none.
  public mutating func vary(_ i: Int?) { varying = i }

  /// The fields as they are now.
  public var block: HeaderBlock {
    HeaderBlock(text, places, known: known, varying: varying, json: nil)
  }

  private mutating func note(_ i: Int) {
    let name = Int(places[i].name.lowerBound)..<Int(places[i].name.upperBound)
    if let field = KnownField(name: text.span.extracting(name)) { known.note(field, i) }
  }
}
