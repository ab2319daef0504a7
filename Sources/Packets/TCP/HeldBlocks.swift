import Basics
import NIOCore

/// The pieces of a stream that wait for bytes below them.
///
/// Invariant: sorted by offset, disjoint, never empty pieces. A popped piece stays in the array's front until the
/// array is compacted, so that filling a hole below many pieces costs O(n), not O(n²).
struct HeldBlocks {
  /// A piece of the stream; without bytes where the snap length cut them off.
  struct Block {
    var offset: Int
    var count: Int
    var bytes: ByteBuffer?
    var at: Timestamp
    var end: Int { offset + count }

    /// What the block counts for in the limits; bytes that were cut off cost only the block.
    var charge: Int { (bytes == nil ? 0 : count) + HeldBlocks.overhead }
  }

  /// What became of a range that was put in.
  struct Insertion {
    var added = 0
    var duplicate = 0
    var isConflict = false
  }

  /// What a piece is charged beyond its bytes: its share of a frame's buffer and the block itself.
  static let overhead = 256

  private var blocks: [Block] = []
  private var head = 0
  /// What is held, in bytes and buffers.
  private(set) var charge = 0

  var isEmpty: Bool { head == blocks.count }
  var first: Block? { isEmpty ? nil : blocks[head] }
  /// The end of the last piece.
  var end: Int? { blocks.last?.end }
  /// The offset of the first piece.
  var start: Int? { isEmpty ? nil : blocks[head].offset }

  /// Returns the end of the pieces that lie at `offset` without a hole between them.
  func contiguousEnd(from offset: Int) -> Int {
    var end = offset
    for block in blocks[head...] {
      guard block.offset == end else { break }
      end = block.end
    }
    return end
  }

  /// Removes and returns the first piece.
  mutating func popFirst() -> Block? {
    guard !isEmpty else { return nil }
    let block = blocks[head]
    blocks[head].bytes = nil
    head += 1
    charge -= block.charge
    if isEmpty {
      blocks.removeAll(keepingCapacity: blocks.capacity <= 64)
      head = 0
    } else if head >= 64, head * 2 >= blocks.count {
      blocks.removeFirst(head)
      head = 0
    }
    return block
  }

  /// Counts all offsets from another origin, `distance` further on.
  mutating func shift(by distance: Int) {
    for i in blocks.indices { blocks[i].offset -= distance }
  }

  /// Adds the parts of `range` of `block` that nothing covers yet: the first copy of a byte wins.
  mutating func insert(_ block: Block, _ range: Range<Int>) -> Insertion {
    var result = Insertion()
    var cursor = range.lowerBound
    var i = firstBlock(endingAbove: cursor)
    while cursor < range.upperBound {
      guard i < blocks.count else {
        add(block, cursor..<range.upperBound, at: i)
        result.added += range.upperBound - cursor
        break
      }
      let other = blocks[i]
      if other.offset > cursor {
        let upTo = min(other.offset, range.upperBound)
        add(block, cursor..<upTo, at: i)
        result.added += upTo - cursor
        cursor = upTo
      } else {
        let upTo = min(other.end, range.upperBound)
        result.duplicate += upTo - cursor
        if differs(block, other, cursor..<upTo) { result.isConflict = true }
        cursor = upTo
      }
      i += 1
    }
    return result
  }

  private mutating func add(_ block: Block, _ range: Range<Int>, at index: Int) {
    var piece = Block(offset: range.lowerBound, count: range.count, bytes: nil, at: block.at)
    if let bytes = block.bytes { piece.bytes = HeldBlocks.copy(slice(bytes, block.offset, range)) }
    blocks.insert(piece, at: index)
    charge += piece.charge
  }

  /// Returns the bytes in a buffer of their own: what waits must not keep alive the block that a file was read into.
  static func copy(_ bytes: ByteBuffer) -> ByteBuffer {
    bytes.storageCapacity > bytes.readableBytes + overhead
      ? ByteBuffer(bytes: bytes.readableBytesView) : bytes
  }

  /// Returns the part at stream offsets `range` of bytes that begin at stream offset `offset`.
  private func slice(_ bytes: ByteBuffer, _ offset: Int, _ range: Range<Int>) -> ByteBuffer {
    bytes.getSlice(at: bytes.readerIndex + (range.lowerBound - offset), length: range.count)
      ?? ByteBuffer()
  }

  private func differs(_ a: Block, _ b: Block, _ range: Range<Int>) -> Bool {
    guard let ours = a.bytes, let theirs = b.bytes else { return false }
    return slice(ours, a.offset, range) != slice(theirs, b.offset, range)
  }

  /// Returns the index of the first piece that reaches beyond `offset`, by binary search.
  private func firstBlock(endingAbove offset: Int) -> Int {
    if let last = blocks.last, last.end <= offset { return blocks.count }
    var low = head
    var high = blocks.count
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle].end <= offset { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
