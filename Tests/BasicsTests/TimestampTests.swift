import Basics
import TestKit
import Testing

struct `A timestamp` {
  struct Case: CustomTestStringConvertible {
    var nanoseconds: Int64
    var text: String
    var testDescription: String { text }
  }

  static let both: [Case] = [
    Case(nanoseconds: 0, text: "1970-01-01T00:00:00.000000000Z"),
    Case(nanoseconds: 1, text: "1970-01-01T00:00:00.000000001Z"),
    Case(nanoseconds: -1, text: "1969-12-31T23:59:59.999999999Z"),
    Case(nanoseconds: -1_000_000_000, text: "1969-12-31T23:59:59.000000000Z"),
    Case(nanoseconds: -86_400_000_000_000, text: "1969-12-31T00:00:00.000000000Z"),
    Case(nanoseconds: 951_782_400_000_000_000, text: "2000-02-29T00:00:00.000000000Z"),
    Case(nanoseconds: 951_868_800_000_000_000, text: "2000-03-01T00:00:00.000000000Z"),
    Case(nanoseconds: -2_203_891_200_000_000_000, text: "1900-03-01T00:00:00.000000000Z"),
    Case(nanoseconds: -2_203_891_200_000_000_001, text: "1900-02-28T23:59:59.999999999Z"),
    Case(nanoseconds: 1_795_338_000_123_456_789, text: "2026-11-22T09:00:00.123456789Z"),
    Case(nanoseconds: 1_709_210_096_007_000_000, text: "2024-02-29T12:34:56.007000000Z"),
    Case(nanoseconds: .max, text: "2262-04-11T23:47:16.854775807Z"),
    Case(nanoseconds: .min, text: "1677-09-21T00:12:43.145224192Z"),
  ]

  @Test(arguments: both)
  func `is written as RFC 3339 with nine digits`(_ given: Case) {
    #expect(Timestamp(nanoseconds: given.nanoseconds).description == given.text)
  }

  @Test(arguments: both)
  func `is read from what it writes`(_ given: Case) {
    #expect(Timestamp(rfc3339: given.text) == Timestamp(nanoseconds: given.nanoseconds))
  }

  @Test(
    arguments: [
      ("2026-11-22T09:00:00Z", 1_795_338_000_000_000_000),
      ("2026-11-22T09:00:00.5Z", 1_795_338_000_500_000_000),
      ("2026-11-22T09:00:00.000001Z", 1_795_338_000_000_001_000),
      ("1969-12-31T23:59:59.9Z", -100_000_000),
      ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
    ] as [(String, Int64)])
  func `is read with any number of fraction digits up to nine`(_ text: String, _ value: Int64) {
    #expect(Timestamp(rfc3339: text) == Timestamp(nanoseconds: value))
  }

  @Test(arguments: [
    "", "Z", "2026-11-22", "2026-11-22T09:00:00", "2026-11-22T09:00:00+00:00",
    "2026-11-22T09:00:00.Z", "2026-11-22T09:00:00.1234567890Z", "2026-11-22T09:00:00,5Z",
    "2026-11-22 09:00:00Z", "2026/11/22T09:00:00Z", "2026-13-22T09:00:00Z",
    "2026-00-22T09:00:00Z", "2026-11-00T09:00:00Z", "2026-11-31T09:00:00Z",
    "2026-02-29T09:00:00Z", "2024-02-30T00:00:00Z", "1900-02-29T00:00:00Z",
    "2026-11-22T24:00:00Z", "2026-11-22T09:60:00Z", "2026-11-22T09:00:61Z",
    "2026-11-22T09:00:0xZ", "２026-11-22T09:00:00Z", "-026-11-22T09:00:00Z",
    "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2262-04-11T23:47:16.854775808Z",
    "1677-09-21T00:12:43.145224191Z",
  ])
  func `is not read from anything else`(_ text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test func `survives writing and reading at random instants`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("timestamp"))
    for _ in 0..<2000 {
      let instant = Timestamp(nanoseconds: .random(in: .min ... .max, using: &generator))
      #expect(Timestamp(rfc3339: instant.description) == instant)
    }
  }

  @Test func `orders and subtracts across the epoch`() {
    let before = Timestamp(nanoseconds: -5)
    let after = Timestamp(nanoseconds: 7)
    #expect(before < after)
    #expect(after - before == 12)
    #expect(before + 12 == after)
  }
}
