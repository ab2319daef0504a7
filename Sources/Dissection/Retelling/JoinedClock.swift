import Basics
import Trace

/// One instant that the times of several traces count from.
enum JoinedClock {
  /// The earliest `t0`, once each clock is put right by its offset.
  static func t0(_ headers: [HeaderLine], _ offsets: [Int64]) -> Timestamp {
    zip(headers, offsets).map { $0.t0 + $1 }.min() ?? Timestamp(nanoseconds: 0)
  }

  /// What is added to the times of each trace.
  static func shifts(_ headers: [HeaderLine], _ offsets: [Int64]) -> [Int64] {
    let start = t0(headers, offsets)
    return zip(headers, offsets).map { ($0.t0 + $1) - start }
  }
}
