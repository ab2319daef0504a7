import Basics
public import Trace

/// What the trace of a replay says of the plan that it carried out, and of which recorded session each of its own is a copy.
public struct ReplayOrigin: Sendable {
  /// Factor on think times.
  public var thinkScale = 1.0
  /// Cap on think times, nanoseconds.
  public var maxThink: Int64?
  /// True when think times are those of the recording, scaled and capped, and calls are due that long after an answer.
  public var keepsThinkTimes = true
  /// Where the index of dispersion of a faithful run lies, by window as the results name it.
  public var band: [String: ClosedRange<Double>] = [:]

  /// Reads the header of a replay's trace; `nil` where it is none.
  public init?(_ header: HeaderLine?) {
    guard let header, header.source == .replay,
      let said = header.extra.first(where: { $0.key == "replay" })?.value.value
    else { return nil }
    thinkScale = said["think_scale"]?.double ?? 1
    maxThink = said["max_think_ms"]?.double.map { Int64($0 * 1e6) }
    let jitter = said["think_jitter"]?.string ?? "none"
    keepsThinkTimes = jitter == "none" && said["coupling"]?.string ?? "gap" == "gap"
    for member in said["idc_band"]?.members ?? [] {
      guard let low = member.value[0]?.double, let high = member.value[1]?.double, low <= high
      else { continue }
      band[member.key] = low...high
    }
  }

  /// The recorded session, the number of the copy, and when it was to begin in nanoseconds of the run.
  struct Source {
    var session: String
    var clone: Int
    var start: Int64

    init?(_ session: RecordedSession) {
      guard let said = session.line?.extra.first(where: { $0.key == "source" })?.value.value,
        let name = said["session"]?.string
      else { return nil }
      self.session = name
      clone = Int(said["clone"]?.int ?? 0)
      start = said["start"]?.int ?? session.start
    }
  }

  /// A recorded think time as the plan has it.
  func planned(_ think: Int64) -> Int64 {
    let scaled = thinkScale == 1 ? think : Int64(Double(think) * thinkScale)
    return min(scaled, maxThink ?? .max)
  }
}
