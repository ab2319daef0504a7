import Basics

/// Finds the next chunk boundary in a chunked body whose framing was lost in a gap (RFC 9112 §7.1).
///
/// Theory: a boundary is a line end (or the gap's end) and a size line as senders write it, and is believed when its chunk
/// ends in a line end too; one whose chunk is not all there only where no other is sure. What lies before it is the rest of a chunk, or of a size line; a reader of events drops
/// what it can't make out of that. Where no line looks like a size, all bytes are data.
enum ChunkSearch {
  enum Result: Equatable {
    /// Bytes before this index are data; those behind it are too few to tell.
    case none(upTo: Int)
    /// A size line begins here and its chunk may: it ends when there are `needs` bytes.
    case open(Int, needs: Int)
    /// A size line begins here.
    case boundary(Int)
  }

  /// Longest chunk that is waited for to be sure of its size line (servers flush at 64 KiB at most).
  static let waitLimit = 256 << 10

  /// Looks at `bytes`, the first of which follows a gap where `isEdge`; `isOver` when no more come.
  static func find(_ bytes: Span<UInt8>, isEdge: Bool, isOver: Bool) -> Result {
    var line = 0
    if !isEdge {
      guard let next = lineBehind(bytes, 0) else { return .none(upTo: end(bytes)) }
      line = next
    } else if bytes.count > 0, bytes[0] == 0x0a {
      line = 1
    }
    var open: Result?
    while true {
      switch check(bytes, line) {
      case .none: break
      case .open(_, let needs) where needs == 0:
        return settle(open, isOver) ?? .none(upTo: max(0, line - 2))
      case .open(let at, let needs): open = open ?? .open(at, needs: needs)
      case .boundary: return .boundary(line)
      }
      guard let next = lineBehind(bytes, line) else {
        return settle(open, isOver) ?? .none(upTo: end(bytes))
      }
      line = next
    }
  }

  /// What an unfinished chunk comes to when no other is sure.
  private static func settle(_ open: Result?, _ isOver: Bool) -> Result? {
    guard isOver, case .open(let line, _) = open else { return open }
    return .boundary(line)
  }

  /// Whether a size line is at `line`; open without `needs` where the line itself is not whole.
  private static func check(_ bytes: Span<UInt8>, _ line: Int) -> Result {
    var i = line
    var size = 0
    while i < bytes.count, i - line < 9, let digit = JSONScan.hexValue(bytes[i]) {
      size = size << 4 | Int(digit)
      i += 1
    }
    if i == bytes.count, i - line < 9 { return .open(line, needs: 0) }
    guard i > line, i - line < 9, size <= waitLimit else {
      return .none(upTo: 0)
    }
    while i < bytes.count, bytes[i] == 0x20 { i += 1 }
    if i < bytes.count, bytes[i] == 0x3b {
      while i < bytes.count, bytes[i] >= 0x20 { i += 1 }
    }
    if i == bytes.count { return .open(line, needs: 0) }
    guard bytes[i] == 0x0d else { return .none(upTo: 0) }
    if i + 1 == bytes.count { return .open(line, needs: 0) }
    guard bytes[i + 1] == 0x0a else { return .none(upTo: 0) }
    let end = i + 2 + size
    guard end + 2 <= bytes.count else { return .open(line, needs: end + 2) }
    if bytes[end] == 0x0d, bytes[end + 1] == 0x0a { return .boundary(line) }
    return size == 0 && HTTP1Head.isField(bytes, end) ? .boundary(line) : .none(upTo: 0)
  }

  /// Where the line begins that follows the next CRLF.
  private static func lineBehind(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    var i = start
    while let cr = ByteScan.firstIndex(of: 0x0d, in: bytes, from: i), cr + 1 < bytes.count {
      if bytes[cr + 1] == 0x0a { return cr + 2 }
      i = cr + 1
    }
    return nil
  }

  /// The end of what is data for sure: a last CR may begin a boundary.
  private static func end(_ bytes: Span<UInt8>) -> Int {
    bytes.count > 0 && bytes[bytes.count - 1] == 0x0d ? bytes.count - 1 : bytes.count
  }
}
