public import NIOCore

/// The 32 random bytes of a hello (RFC 8446 §4.1.2); the client's name a connection in a key log.
public struct TLSRandom: Hashable, Sendable {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// Reads 32 bytes off the front of a buffer; `nil` when it holds fewer.
  public init?(readingFrom buffer: inout ByteBuffer) {
    guard let words = buffer.readMultipleIntegers(as: (UInt64, UInt64, UInt64, UInt64).self)
    else { return nil }
    self.words = words
  }

  /// The bytes in wire order.
  public var bytes: [UInt8] {
    [words.0, words.1, words.2, words.3].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
    }
  }

  /// What a ServerHello that is a HelloRetryRequest carries: SHA-256 of "HelloRetryRequest" (RFC 8446 §4.1.3).
  public static let helloRetryRequest = TLSRandom(
    words: (
      0xCF21_AD74_E59A_6111, 0xBE1D_8C02_1E65_B891, 0xC2A2_1116_7ABB_8C5E, 0x079E_09E2_C8A8_339C
    ))

  private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// Compares all 32 bytes.
  public static func == (a: TLSRandom, b: TLSRandom) -> Bool { a.words == b.words }

  /// Hashes all 32 bytes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}
