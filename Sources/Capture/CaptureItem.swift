public import NIOCore
public import Packets

/// What a capture file holds, in its order.
public enum CaptureItem: Sendable {
  /// A packet. Its bytes are a slice of the block that was read: whoever keeps some beyond the next call copies them.
  case frame(CapturedFrame)
  /// Secrets for the packets of the file, which may stand before or behind them.
  case secrets(DecryptionSecrets)
  /// A pipe has nothing to read just now: time to write out what was made, and to look at signals.
  case waiting
}

/// The secrets of a pcapng Decryption Secrets Block (draft-ietf-opsawg-pcapng §4.7).
public struct DecryptionSecrets: Hashable, Sendable {
  /// What kind of secrets: `tlsKeyLog`, or another number of the registry.
  public var type: UInt32
  /// The secrets as they stand in the block, without its padding; an own copy.
  public var bytes: ByteBuffer

  /// An NSS key log, lines of text (`CLIENT_RANDOM …`).
  public static let tlsKeyLog: UInt32 = 0x544c_534b

  /// Describes secrets.
  public init(type: UInt32, bytes: ByteBuffer) {
    self.type = type
    self.bytes = bytes
  }
}
