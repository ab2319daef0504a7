public import Basics
import Glibc
import NIOCore

/// The run's time: nanoseconds since its beginning on the monotonic clock, and the same instant on the wall.
public struct RunClock: Sendable {
  /// The beginning on the monotonic clock.
  let origin: NIODeadline
  /// The beginning on the wall clock.
  public let wall: Timestamp

  /// Creates a clock whose zero lies `lead` nanoseconds ahead.
  init(lead: Int64) {
    var time = timespec()
    // Only fills in the struct it is given.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    wall = Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) + lead)
    origin = NIODeadline.now() + .nanoseconds(lead)
  }

  /// Nanoseconds since the beginning.
  var now: Int64 { (NIODeadline.now() - origin).nanoseconds }

  /// Returns the deadline of an instant of the run.
  func deadline(_ at: Int64) -> NIODeadline { origin + .nanoseconds(at) }
}
