import Basics
import Redaction
import TestKit
import Testing

struct `Surrogates` {
  private let redactor = Redactor(key: RedactionKey(bytes: Array(repeating: 7, count: 32)))

  private static func kind(_ byte: UInt8) -> Character {
    switch byte {
    case 0x30...0x39: "0"
    case 0x41...0x5a: "A"
    case 0x61...0x7a: "a"
    default: Character(Unicode.Scalar(byte))
    }
  }

  @Test(arguments: [
    "Ab3-xY_9.zz", "a b,c", "P@ssw0rd!", String(repeating: "Quick brown fox 12. ", count: 50),
  ])
  func `keep the kind of every byte, and none of the text`(text: String) {
    let hidden = redactor.surrogate(text)
    #expect(hidden.utf8.map(Self.kind) == text.utf8.map(Self.kind))
    #expect(hidden != text)
    #expect(redactor.surrogate(text) == hidden)
  }

  @Test func `keep hex hex, in its case`() {
    let lower = redactor.surrogate("467cf8b2-628c-481e-b71d-43f0f2fb066a")
    #expect(lower.utf8.allSatisfy { "0123456789abcdef-".utf8.contains($0) })
    #expect(
      lower.utf8.count == 36 && lower.split(separator: "-").map(\.utf8.count) == [8, 4, 4, 4, 12])
    #expect(redactor.surrogate("467CF8B2").utf8.allSatisfy { "0123456789ABCDEF".utf8.contains($0) })
    #expect(redactor.surrogate("0123456789").utf8.allSatisfy { $0 < 0x3a })
  }

  @Test func `use all letters and digits`() {
    let text = redactor.surrogate(String(repeating: "aA0", count: 2000))
    #expect(Set(text.utf8).count == 62)
  }

  @Test func `take letters for other characters, and for marks where there is nothing else`() {
    #expect(redactor.surrogate("é東").utf8.count == 5)
    #expect(redactor.surrogate("é東").utf8.allSatisfy { (0x61...0x7a).contains($0) })
    #expect(redactor.surrogate("!!##").utf8.allSatisfy { (0x61...0x7a).contains($0) })
    #expect(redactor.surrogate("") == "")
  }

  @Test func `never are the value itself`() {
    for value in ["7", "x", "Q", "9", "zz", "00", "f", "10"] {
      #expect(redactor.surrogate(value) != value)
      #expect(redactor.surrogate(value).utf8.count == value.utf8.count)
    }
  }

  @Test(arguments: [
    "0", "5", "-12", "1000", "3.14", "-0.5", "1.5e300", "9223372036854775807",
    "18446744073709551615",
    "4111111111111111", "1E5", "0.000",
  ])
  func `of numbers are numbers with as many digits`(token: String) throws {
    let rules = PayloadRules(
      key: redactor.key, rules: try RedactionRule.rules(["/params/n"]))
    let json = RawJSON(.object([.init("n", .number(token))]))
    let hidden = PayloadRedactor(rules).payload(json, .params, of: "tools/call").json
    let number = try #require(RawJSON(validating: hidden.bytes)?.member("n"))
    #expect(number.kind == .number && number.text.utf8.count == token.utf8.count)
    #expect(number.text != token)
    if Int64(token) != nil { #expect(number.int != nil) }
    #expect(number.value.double?.isFinite == true)
  }
}
