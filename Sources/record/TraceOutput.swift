import Trace

/// Where a trace goes and how it is written.
struct TraceOutput: Sendable {
  /// `-` is standard output; a name that ends in `.zst` is compressed.
  var path: String
  /// How much.
  var level = TraceWriter.defaultLevel
}
