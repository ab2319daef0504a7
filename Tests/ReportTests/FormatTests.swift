import Report
import Testing

struct `Numbers and names` {
  @Test(
    arguments: [
      (0, "0 s"), (7, "7 ns"), (1_500, "1.5 µs"), (830_000, "830 µs"), (999_499, "999 µs"),
      (999_500, "1.0 ms"), (4_640_000, "4.6 ms"), (340_000_000, "340 ms"), (999_499_999, "999 ms"),
      (999_500_000, "1.0 s"), (1_240_000_000, "1.2 s"), (59_949_000_000, "59.9 s"),
      (59_960_000_000, "1 m"), (312_000_000_000, "5 m 12 s"), (50_040_000_000_000, "13 h 54 m"),
      (3_599_900_000_000, "1 h"), (273_600_000_000_000, "3 d 4 h"), (-1_500_000_000, "-1.5 s"),
      (.max, "106752 d"), (.min, "-106752 d"),
    ] as [(Int64, String)])
  func `writes a duration in at most two units`(nanoseconds: Int64, text: String) {
    #expect(Format.duration(nanoseconds: nanoseconds) == text)
  }

  @Test(
    arguments: [
      (0, "+0.000"), (7_030_880_000, "+7.031"), (725_123_000_000, "+12:05.123"),
      (3_723_456_000_000, "+1:02:03.456"), (-1_500_000_000, "-1.500"),
    ] as [(Int64, String)])
  func `writes a point of a timeline`(nanoseconds: Int64, text: String) {
    #expect(Format.offset(nanoseconds: nanoseconds) == text)
  }

  @Test(
    arguments: [
      (0, 2, "0"), (1, 2, "1"), (0.9714285, 2, "0.97"), (0.9714285, 6, "0.971429"),
      (-0.001, 2, "0"), (-2.5, 1, "-2.5"), (123_456.75, 0, "123457"), (0.05, 1, "0.1"),
    ] as [(Double, Int, String)])
  func `writes decimals without trailing zeros`(value: Double, digits: Int, text: String) {
    #expect(Format.decimal(value, digits: digits) == text)
  }

  @Test func `shows the ends of a long identifier`() {
    #expect(Format.shortened("123456789") == "123456789")
    #expect(Format.shortened("1234567890") == "1234…7890")
  }

  @Test func `makes control characters harmless`() {
    #expect(Format.printable("a\u{1b}[31m\n\u{202e}b é") == "a·[31m··b é")
  }

  @Test func `cuts what is too long`() {
    #expect(Format.fitted("abcdef", 6) == "abcdef")
    #expect(Format.fitted("abcdefg", 6) == "abcde…")
  }
}

struct `Text table` {
  @Test func `aligns text left and numbers right`() {
    var table = Table([.text("tool", limit: 6), .number("calls"), .text("end")])
    table.add(["search", "7", ""])
    table.add(["read_all", "12345678", "x\ny"])
    #expect(
      table.text(indent: 1) == """
         tool       calls  end
         search         7
         read_…  12345678  x·y

        """)
  }
}
