import Basics
import NIOCore
import ReplayPlan
import Testing

/// What a file or a command has to say to give a token.
struct `Bearer tokens` {
  @Test(
    arguments: [
      "abc": "abc", "abc\n": "abc", "abc\r\nmore\r\n": "abc", "  abc \nx": "abc",
      "Bearer abc\n": "abc", "bearer  a.b-c_d~e+f/g==\n": "a.b-c_d~e+f/g==",
    ])
  func `the first line is the token`(_ text: String, _ token: String) throws {
    #expect(try BearerToken(firstLineOf: text).text == token)
  }

  @Test(
    arguments: [
      "": BearerToken.Flaw.empty, "\nabc": .empty, "  \n": .empty, "a b": .unsendable,
      "Bearer a b": .unsendable, "töken": .unsendable, "a\u{7}": .unsendable,
    ])
  func `a line that no header can hold is none`(_ text: String, _ flaw: BearerToken.Flaw) {
    #expect(throws: flaw) { try BearerToken(firstLineOf: text) }
  }

  @Test(
    arguments: [
      #"{"exp":1900000000}"#: 1_900_000_000, #"{"exp":1900000000.7,"sub":"ÿ?>"}"#: 1_900_000_000,
      #"{"exp":"soon"}"#: nil, #"{"sub":"a"}"#: nil, "no JSON": nil,
    ] as [String: Int64?])
  func `a JWT says when it ends`(_ claims: String, _ expiry: Int64?) throws {
    let payload = Base64.encode(ByteBuffer(string: claims))
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    #expect(try BearerToken(firstLineOf: "e30.\(payload).c2ln").expiry == expiry)
    #expect(try BearerToken(firstLineOf: payload).expiry == nil)
  }

  @Test func `an answer that repeats tokens shows stars`() throws {
    let first = Credential(try BearerToken(firstLineOf: "tok-one"))
    let second = Credential(try BearerToken(firstLineOf: "tok-two"), after: first)
    #expect(second.version == 2)
    let json = RawJSON(.string("a tok-two, tok-tok-onetok-one, tok-three"))
    #expect(second.masked(json).text == #""a *******, tok-**************, tok-three""#)
    #expect(first.masked(RawJSON(.string("tok-two"))).text == #""tok-two""#)
  }
}
