public import ArgumentParser
import Trace

/// How outputs are compressed whose names end in `.zst`: what all that write traces are told of it.
public struct CompressionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Compression of a trace whose name ends in .zst, from 1 (fastest) to 19 (smallest).",
      valueName: "level"))
  private var zstdLevel = TraceWriter.defaultLevel

  /// Creates the options' defaults.
  public init() {}

  /// The level, one of `TraceWriter.levels`.
  public var level: Int { zstdLevel }

  /// Refuses what is no level.
  public func validate() throws {
    guard TraceWriter.levels.contains(zstdLevel) else {
      throw ValidationError("--zstd-level takes 1 to 19")
    }
  }
}
