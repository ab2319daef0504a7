public import Basics
internal import Glibc
internal import NIOCore

/// The clock that stamps tapped bytes: wall time that never runs backwards.
///
/// The wall clock is read once, when the process first needs it; from then on time is that anchor plus
/// the monotonic clock. A step of the wall clock (NTP, an administrator) therefore never reaches a
/// recording, at the price that a recording keeps the wall time of its process's start.
public struct TapClock: Sendable {
  /// The one clock of the process, so that stamps of several servers compare.
  public static let shared = TapClock()

  private let wall: Int64
  private let anchor: NIODeadline

  /// Anchors by the closest of a few tries: being descheduled between the two reads would shift every
  /// stamp of the recording by as much.
  init() {
    var best = (
      wall: Int64(0), anchor: NIODeadline.uptimeNanoseconds(0), width: TimeAmount.hours(1)
    )
    for _ in 0..<8 {
      let before = NIODeadline.now()
      var time = timespec()
      // Safe: the call only writes the local it is given; it cannot fail for this clock.
      unsafe clock_gettime(CLOCK_REALTIME, &time)
      let width = NIODeadline.now() - before
      if width < best.width {
        let wall = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        best = (wall, before + .nanoseconds(width.nanoseconds / 2), width)
      }
    }
    wall = best.wall
    anchor = best.anchor
  }

  /// Returns the present instant.
  public func now() -> Timestamp {
    Timestamp(nanoseconds: wall &+ (NIODeadline.now() - anchor).nanoseconds)
  }
}
