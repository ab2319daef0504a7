/// How the 64-bit times of a pcapng interface count (`if_tsresol`, `if_tsoffset`; draft-ietf-opsawg-pcapng §4.2).
///
/// Whole numbers throughout: a time is split into seconds and a fraction before it is scaled, so that nothing overflows
/// and nothing is rounded but what is finer than a nanosecond, which is cut off.
struct PcapngTime: Equatable {
  /// The option's byte: the negative power of 10, or with the highest bit set of 2, that one tick lasts.
  var resolution: UInt8
  /// Seconds to add.
  var offset: Int64

  /// Microseconds since 1970, what an interface has that says nothing.
  static let microseconds = PcapngTime(resolution: 6, offset: 0)

  private static let billion: UInt64 = 1_000_000_000
  private static let powersOf10: [UInt64] = (0..<19).reduce(into: [1]) { powers, _ in
    powers.append(powers[powers.count - 1] * 10)
  }

  /// Returns nanoseconds since 1970 of a time in ticks; `isExact` is false where 64 bits cannot hold them.
  func nanoseconds(_ ticks: UInt64) -> (value: Int64, isExact: Bool) {
    if resolution <= 9, offset == 0 {
      let (value, overflow) = ticks.multipliedReportingOverflow(
        by: resolution == 9
          ? 1 : resolution == 6 ? 1000 : PcapngTime.powersOf10[9 - Int(resolution)])
      guard !overflow, value <= UInt64(Int64.max) else { return (.max, false) }
      return (Int64(value), true)
    }
    return general(ticks)
  }

  private func general(_ ticks: UInt64) -> (value: Int64, isExact: Bool) {
    let (seconds, fraction) = resolution & 0x80 == 0 ? decimal(ticks) : binary(ticks)
    guard let seconds = Int64(exactly: seconds) else { return (.max, false) }
    let (sum, overflow) = seconds.addingReportingOverflow(offset)
    guard !overflow else { return (.max, false) }
    let (whole, high) = sum.multipliedReportingOverflow(by: Int64(PcapngTime.billion))
    let (value, carry) = whole.addingReportingOverflow(Int64(fraction))
    guard !high, !carry else { return (sum < 0 ? .min : .max, false) }
    return (value, true)
  }

  /// Seconds and nanoseconds of ticks of 10^-n seconds.
  private func decimal(_ ticks: UInt64) -> (UInt64, UInt64) {
    let power = Int(resolution)
    let powers = PcapngTime.powersOf10
    guard power < powers.count else {
      // 2^64 ticks of 10^-20 seconds are less than a second; beyond 10^-28 less than a nanosecond.
      return (0, power - 9 < powers.count ? ticks / powers[power - 9] : 0)
    }
    let fraction = ticks % powers[power]
    return (
      ticks / powers[power],
      power <= 9 ? fraction * powers[9 - power] : fraction / powers[power - 9]
    )
  }

  /// Seconds and nanoseconds of ticks of 2^-n seconds.
  private func binary(_ ticks: UInt64) -> (UInt64, UInt64) {
    let power = Int(resolution & 0x7f)
    let seconds = power < 64 ? ticks >> power : 0
    let fraction = power < 64 ? ticks & (1 << power - 1) : ticks
    // Less than 2^n times 2^30, so that the quotient is less than 2^30.
    let product = fraction.multipliedFullWidth(by: PcapngTime.billion)
    if power == 0 { return (seconds, 0) }
    let scaled =
      power < 64
      ? product.high << (64 - power) | product.low >> power
      : product.high >> (power - 64)
    return (seconds, scaled)
  }
}
