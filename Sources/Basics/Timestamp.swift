/// An instant: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Captures, the proxy and the trace share it; `t` in a trace line is `self - t0`.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Nanoseconds since the Unix epoch; may be negative.
  public var nanoseconds: Int64

  /// Creates an instant from nanoseconds since the Unix epoch.
  @inlinable
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Orders instants by time.
  @inlinable
  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

  /// Returns the distance `a - b` in nanoseconds.
  @inlinable
  public static func - (a: Timestamp, b: Timestamp) -> Int64 { a.nanoseconds &- b.nanoseconds }

  /// Returns the instant `nanoseconds` after `a`.
  @inlinable
  public static func + (a: Timestamp, nanoseconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: a.nanoseconds &+ nanoseconds)
  }
}

extension Timestamp: CustomStringConvertible {
  /// The instant as RFC 3339 in UTC with nine digits: `2026-11-22T09:00:00.000000000Z`.
  public var description: String {
    let second: Int64 = 1_000_000_000
    var seconds = nanoseconds / second
    var fraction = nanoseconds % second
    if fraction < 0 {
      fraction += second
      seconds -= 1
    }
    var days = seconds / 86_400
    var rest = seconds % 86_400
    if rest < 0 {
      rest += 86_400
      days -= 1
    }
    let date = CivilDate(daysSinceEpoch: days)
    let (h, m, s) = (rest / 3600, rest / 60 % 60, rest % 60)
    return pad(date.year, 4) + "-" + pad(date.month, 2) + "-" + pad(date.day, 2) + "T"
      + pad(h, 2) + ":" + pad(m, 2) + ":" + pad(s, 2) + "." + pad(fraction, 9) + "Z"
  }

  /// Reads RFC 3339 in UTC (`Z`), with or without a fraction of up to nine digits.
  ///
  /// A leap second is the first instant of the next minute. `nil` for anything else, and for dates that do not
  /// exist or that 64 bits of nanoseconds can't hold (years 1677 to 2262).
  public init?(rfc3339 text: String) {
    let bytes = Array(text.utf8)
    func number(_ from: Int, _ count: Int) -> Int64? {
      guard from + count <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[from..<from + count] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      return value
    }
    guard bytes.count >= 20, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] == 0x54,
      bytes[13] == 0x3a, bytes[16] == 0x3a, bytes.last == 0x5a,
      let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
      let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
      (1...12).contains(month), hour < 24, minute < 60, second <= 60
    else { return nil }
    var fraction: Int64 = 0
    if bytes.count > 20 {
      let digits = bytes.count - 21
      guard bytes[19] == 0x2e, digits >= 1, digits <= 9, let value = number(20, digits)
      else { return nil }
      fraction = value
      for _ in digits..<9 { fraction *= 10 }
    }
    let date = CivilDate(year: year, month: month, day: day)
    guard date == CivilDate(daysSinceEpoch: date.daysSinceEpoch) else { return nil }
    var seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second
    if seconds < 0 {
      // Towards zero, so that the earliest instant does not overflow on the way.
      seconds += 1
      fraction -= 1_000_000_000
    }
    let (whole, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, tooFar) = whole.addingReportingOverflow(fraction)
    guard !tooLarge, !tooFar else { return nil }
    self.init(nanoseconds: sum)
  }
}

/// A day of the proleptic Gregorian calendar (Howard Hinnant's civil-from-days arithmetic).
struct CivilDate: Equatable {
  var year: Int64
  var month: Int64
  var day: Int64

  init(year: Int64, month: Int64, day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  init(daysSinceEpoch: Int64) {
    let z = daysSinceEpoch + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shifted + 2) / 5 + 1
    month = shifted < 10 ? shifted + 3 : shifted - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var daysSinceEpoch: Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}

private func pad(_ value: Int64, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
