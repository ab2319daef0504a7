import Trace

/// Where a trace goes and how it is written.
struct TraceOutput: Sendable {
  /// When a segment is over; either alone is enough.
  struct Rotation: Sendable {
    /// Bytes of the file.
    var size: Int?
    /// Time since it was begun, if anything was recorded.
    var every: Duration?
  }

  /// `-` is standard output; a name that ends in `.zst` is compressed.
  var path: String
  /// How much.
  var level = TraceWriter.defaultLevel
  /// `nil`: all in one file.
  var rotation: Rotation?
  /// Which closed segments are kept.
  var retention = SegmentRetention()
}
