public import Basics
import NIOCore
public import Packets

/// Frames of an interface, copied one behind the other.
public struct FrameBatch: Sendable {
  private struct Entry {
    var end: Int
    var originalLength: Int
    var at: Timestamp
  }

  /// What every frame begins with.
  public let linkType: LinkType
  private var bytes = ByteBuffer()
  private var entries: [Entry] = []

  /// Charged for a frame beside its bytes.
  private static let entrySize = 24

  /// Creates an empty batch.
  public init(linkType: LinkType) { self.linkType = linkType }

  /// How many frames there are.
  public var count: Int { entries.count }

  /// Bytes of memory that the batch needs.
  public var size: Int { bytes.storageCapacity + entries.count * FrameBatch.entrySize }

  /// The frame at `index`, a slice of the batch.
  public subscript(index: Int) -> CapturedFrame {
    let start = index > 0 ? entries[index - 1].end : 0
    let entry = entries[index]
    return CapturedFrame(
      bytes: bytes.getSlice(at: start, length: entry.end - start) ?? ByteBuffer(),
      originalLength: entry.originalLength, linkType: linkType, at: entry.at)
  }

  /// Copies a frame behind those that are there.
  public mutating func append(_ frame: UnsafeRawBufferPointer, originalLength: Int, at: Timestamp) {
    unsafe bytes.writeBytes(frame)
    entries.append(Entry(end: bytes.writerIndex, originalLength: originalLength, at: at))
  }
}
