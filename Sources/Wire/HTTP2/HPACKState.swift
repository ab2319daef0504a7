import Basics
import NIOCore
import NIOHPACK

/// The header compression state of one direction (RFC 7541), also where its history is not known.
///
/// Theory: an entry's index counts from the newest, and old entries leave first. So where the history is lost, a table
/// full of placeholders keeps the indices of all later entries right; what refers to a placeholder has no known name.
/// Placeholders may outlive the entries they stand for (nobody refers to those any more), never the other way round.
///
/// After a gap the old table is still there, below entries that came in the lost blocks; how many these are is found by
/// trying (`HPACKGuesses`).
///
/// The table's size follows from the blocks alone: it begins at 4096 and each change is said in a block, whatever
/// SETTINGS allowed; SETTINGS_HEADER_TABLE_SIZE is not needed to read them.
struct HPACKState: Sendable {
  /// Largest dynamic table that is kept (Suricata's limit; browsers ask for this much).
  static let tableLimit = 64 << 10
  /// Longest list of fields that a block may unfold to.
  static let listLimit = 256 << 10

  /// One decoded block.
  typealias Decoded = (fields: [HeaderField], unknown: Int)

  private var decoder: HPACKDecoder
  private var guesses = HPACKGuesses()
  /// True once the table was put together again after a loss.
  private(set) var isGuessed = false

  /// Creates the state; `isKnown` is false where blocks before the first were missed.
  init(isKnown: Bool) {
    decoder = isKnown ? HPACKState.empty : HPACKState.unknown
  }

  /// Forgets the table: a block was missed.
  mutating func distrust() {
    guesses.lost(decoder)
    decoder = HPACKState.unknown
  }

  /// Decodes one block; `nil` when it is no HPACK. `unknown` counts the fields whose name is not known.
  mutating func decode(_ block: ByteBuffer) -> Decoded? {
    guard let certain = decodeCertain(block) else {
      guesses.giveUp()
      return nil
    }
    guard guesses.arePending else {
      if certain.unknown == 0 { guesses.remember(certain.fields) }
      return certain
    }
    let (better, table) = guesses.improve(certain, block)
    if better.unknown < certain.unknown { isGuessed = true }
    if let table { decoder = table }
    return better
  }

  private mutating func decodeCertain(_ block: ByteBuffer) -> Decoded? {
    if let decoded = HPACKState.decode(block, &decoder) { return decoded }
    // The table is not what its sender's is: what does not depend on it can still be read.
    decoder = HPACKState.largeUnknown
    if let decoded = HPACKState.decode(block, &decoder) { return decoded }
    decoder = HPACKState.unknown
    return nil
  }

  /// Decodes one block with a table; `nil` when they don't go together.
  static func decode(
    _ block: ByteBuffer, _ decoder: inout HPACKDecoder
  ) -> Decoded? {
    var block = block
    let headers: HPACKHeaders
    do {
      headers = try decoder.decodeHeaders(from: &block)
    } catch {
      return nil
    }
    var fields: [HeaderField] = []
    fields.reserveCapacity(headers.count)
    var unknown = 0
    for header in headers {
      if header.name.hasPrefix(placeholder) { unknown += 1 }
      fields.append(HeaderField(header.name, header.value))
    }
    return (fields, unknown)
  }

  // MARK: Tables

  /// How names begin that are not known.
  static let placeholder = "?hpack-"
  /// Entries of the static table; the dynamic one's indices begin behind them.
  private static let staticCount = 61

  private static let empty: HPACKDecoder = {
    var decoder = HPACKDecoder(
      allocator: ByteBufferAllocator(), maxDynamicTableSize: HPACKDecoder.maxDynamicTableSize,
      maxHeaderListSize: listLimit)
    decoder.maxDynamicTableLength = tableLimit
    return decoder
  }()

  /// Placeholders are longer than the shortest entries: twice the usual size holds one for each of a usual table's.
  private static let unknown = filled(2 * HPACKDecoder.maxDynamicTableSize)
  private static let largeUnknown = filled(tableLimit)

  /// A table of `size` full of placeholders, each named by the index it has now.
  private static func filled(_ size: Int) -> HPACKDecoder {
    var decoder = HPACKDecoder(
      allocator: ByteBufferAllocator(), maxDynamicTableSize: size, maxHeaderListSize: .max)
    insert(size / (placeholder.utf8.count + 4 + 32), into: &decoder)
    decoder.maxHeaderListSize = listLimit
    decoder.maxDynamicTableLength = tableLimit
    return decoder
  }

  /// The table below `count` entries that are not known; none leaves it for them.
  static func shifted(_ table: HPACKDecoder, by count: Int) -> HPACKDecoder {
    var decoder = table
    insert(count, into: &decoder, size: min(tableLimit, 2 * table.allowedDynamicTableLength))
    return decoder
  }

  private static func insert(_ count: Int, into decoder: inout HPACKDecoder, size: Int? = nil) {
    var block = ByteBuffer()
    if let size {
      // A size update (RFC 7541 §6.3): a prefix of five bits, the rest in groups of seven.
      block.writeInteger(UInt8(0x3f))
      var rest = max(0, size - 31)
      while rest > 127 {
        block.writeInteger(UInt8(rest & 0x7f | 0x80))
        rest >>= 7
      }
      block.writeInteger(UInt8(rest))
    }
    for index in (0..<count).reversed() {
      // A literal with incremental indexing and a new name (RFC 7541 §6.2.1), neither string Huffman-coded.
      let name = placeholder + "\(staticCount + 1 + index)"
      block.writeBytes([0x40, UInt8(name.utf8.count)])
      block.writeString(name)
      block.writeInteger(UInt8(0))
    }
    do {
      _ = try decoder.decodeHeaders(from: &block)
    } catch {
      preconditionFailure("placeholders are valid HPACK")
    }
  }
}
