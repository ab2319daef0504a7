/// The bounds of reassembly; reaching one is counted under `limit.*`, never an error.
public struct FlowLimits: Sendable {
  /// Charge held above a hole in one direction before the hole is given up: 1 MiB, as Suricata's depth.
  ///
  /// A held segment is charged its bytes and 256 for its buffer, so that tiny segments count as what they cost.
  public var heldPerDirection = 1 << 20
  /// Charge held by all flows together before those that hold most give up: 64 MiB, Suricata's memcap.
  public var heldInTotal = 64 << 20
  /// Flows known at once; closed ones go first, then those silent for longest.
  public var flows = 100_000
  /// How far from the next byte a segment may lie and still belong to the stream: 16 MiB.
  public var window = 16 << 20

  /// Describes bounds; the defaults are for real captures, tests lower them.
  public init() {}

  /// The bounds for real captures.
  public static let `default` = FlowLimits()
}
