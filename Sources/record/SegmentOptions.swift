import ArgumentParser
import Trace

/// When a recording goes on in a new file.
struct SegmentOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Close the trace and go on in a new one when it has this size on disk.",
      discussion: """
        Default: never. The open segment has the name of --output; closed ones get a number, live.000001.mcptrace. Each \
        begins with what is open, so that it can be read alone; 'trace' and 'replay' read all of a recording by the name of --output.
        """, valueName: "mib"))
  var rotateSize: Double?

  @Option(
    help: ArgumentHelp(
      "Close the trace and go on in a new one after this time, if something was recorded.",
      discussion: "Default: never.", valueName: "seconds"))
  var rotateEvery: Double?

  func validate() throws {
    // A century, and more than disks hold.
    guard rotateSize.map({ $0 > 0 && $0 <= 1e9 }) ?? true else {
      throw ValidationError("--rotate-size takes MiB, more than 0")
    }
    guard rotateEvery.map({ $0 >= 1 && $0 <= 3e9 }) ?? true else {
      throw ValidationError("--rotate-every takes seconds, 1 or more")
    }
  }

  /// Tells an output.
  ///
  /// - Throws: `ValidationError` for standard output, which has no name.
  func apply(to output: inout TraceOutput) throws {
    guard rotateSize != nil || rotateEvery != nil else { return }
    guard output.path != "-" else {
      throw ValidationError("--rotate-size and --rotate-every want a file for --output")
    }
    output.rotation = .init(
      size: rotateSize.map { Int($0 * 1_048_576) }, every: rotateEvery.map { .seconds($0) })
  }
}
