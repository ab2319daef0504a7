public import NIOCore

extension ByteBuffer {
  /// Copies the readable bytes when they are less than a quarter of the memory that they keep: a slice holds all of the block
  /// that brought it.
  public mutating func own() {
    guard storageCapacity > 4 * max(readableBytes, ByteBuffer.smallest) else { return }
    self = readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: readableBytesView)
  }

  /// Memory that is not worth a copy.
  private static let smallest = 1024
}
