import Basics
import NIOCore
import TestKit
import Testing

struct `Base64 text` {
  /// RFC 4648 §10, and the two last letters of the alphabet.
  static let vectors: [(String, String)] = [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("~~~???", "fn5+Pz8/"),
  ]

  @Test(arguments: vectors)
  func `writes the vectors of the standard`(_ plain: String, _ coded: String) {
    #expect(Base64.encode(ByteBuffer(string: plain)) == coded)
  }

  @Test(arguments: vectors)
  func `reads the vectors of the standard`(_ plain: String, _ coded: String) {
    #expect(Base64.decode(coded) == ByteBuffer(string: plain))
  }

  @Test(arguments: [
    "Z", "Zg", "Zg=", "Zm8", "Zg===", "Z===", "====", "=Zg=", "Zg=g", "Zm 8=", "Zm8\n", "Zm9v=",
    "fn5-Pz8_", "Zm9vé",
  ])
  func `refuses what is not whole groups of its alphabet`(_ text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test func `survives random bytes`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("base64"))
    for count in 0..<200 {
      var bytes = ByteBuffer(bytes: [0xff])
      for _ in 0..<count { bytes.writeInteger(UInt8.random(in: 0...255, using: &generator)) }
      bytes.moveReaderIndex(forwardBy: 1)
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
  }
}
