import ArgumentParser
import Trace

/// When a recording goes on in a new file, and which of its files are kept.
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

  @Option(
    help: ArgumentHelp(
      "Remove the oldest closed segments of that name when there are more than this.",
      discussion: "Default: all are kept. Segments of earlier recordings count; needs --rotate-…",
      valueName: "n"))
  var keepSegments: Int?

  @Option(
    help: ArgumentHelp(
      "Remove closed segments this long after they were closed.",
      discussion: "Default: never. Looked at once a minute.", valueName: "seconds"))
  var keepTime: Double?

  @Option(
    help: ArgumentHelp(
      "Remove the oldest closed segments when all, with the open one, take more than this on disk.",
      discussion: "Default: no limit. Looked at with each new segment and once a minute.",
      valueName: "mib"))
  var keepSize: Double?

  func validate() throws {
    let keeps = keepSegments != nil || keepTime != nil || keepSize != nil
    guard !keeps || rotateSize != nil || rotateEvery != nil else {
      throw ValidationError("--keep-… removes segments: give --rotate-size or --rotate-every too")
    }
    guard keepSegments.map({ $0 >= 1 }) ?? true else {
      throw ValidationError("--keep-segments takes 1 or more")
    }
    guard keepTime.map({ $0 >= 1 && $0 <= 3e9 }) ?? true else {
      throw ValidationError("--keep-time takes seconds, 1 or more")
    }
    guard keepSize.map({ $0 > 0 && $0 <= 1e9 }) ?? true else {
      throw ValidationError("--keep-size takes MiB, more than 0")
    }
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
    output.retention.count = keepSegments
    output.retention.age = keepTime.map { .seconds($0) }
    output.retention.size = keepSize.map { Int($0 * 1_048_576) }
    output.rotation = .init(
      size: rotateSize.map { Int($0 * 1_048_576) }, every: rotateEvery.map { .seconds($0) })
  }
}
