import ArgumentParser

/// A length of time as people type it: `90`, `1.5s`, `250ms`, `2m`, `1h30m`; a bare number is seconds.
struct DurationArgument: ExpressibleByArgument, Sendable {
  let nanoseconds: Int64

  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  init?(argument: String) {
    let units: [(name: String, nanoseconds: Double)] = [
      ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
      ("d", 86_400e9),
    ]
    var rest = Substring(argument)
    var total = 0.0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      guard let value = Double(digits) else { return nil }
      rest = rest.dropFirst(digits.count)
      let name = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
      rest = rest.dropFirst(name.count)
      let unit = name.isEmpty ? 1e9 : units.first { $0.name == name }?.nanoseconds
      guard let unit else { return nil }
      total += value * unit
    }
    guard total < 0x1p62 else { return nil }
    nanoseconds = Int64(total)
  }
}
