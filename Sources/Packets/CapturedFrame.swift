public import Basics
public import NIOCore

/// One link-layer frame as a capture holds it.
public struct CapturedFrame: Sendable {
  /// The captured bytes, from the link-layer header on; a snap length may have cut their tail.
  public var bytes: ByteBuffer
  /// Length on the wire in bytes, never less than what was captured.
  public var originalLength: Int
  /// What the first byte means.
  public var linkType: LinkType
  /// When the capture saw it.
  public var at: Timestamp

  /// Describes a frame; `originalLength` is raised to the captured length where a writer left it lower.
  @inlinable
  public init(bytes: ByteBuffer, originalLength: Int, linkType: LinkType, at: Timestamp) {
    self.bytes = bytes
    self.originalLength = max(originalLength, bytes.readableBytes)
    self.linkType = linkType
    self.at = at
  }
}
