import NIOCore

/// The nine bytes before each frame's payload (RFC 9113 §4.1).
struct HTTP2FrameHeader: Hashable {
  static let length = 9

  /// Payload bytes.
  var payload: Int
  var type: UInt8
  var flags: UInt8
  /// Stream without the reserved bit; 0 is the connection.
  var stream: Int
  private var isReservedBitSet: Bool

  /// Frame types (RFC 9113 §6); all others are extensions, which are ignored.
  enum Kind: UInt8 {
    case data = 0
    case headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
  }

  /// Flags; `endStream` is also a SETTINGS' and a PING's ACK.
  enum Flag {
    static let endStream: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let priority: UInt8 = 0x20
  }

  /// Longest frame without a setting that allows more (SETTINGS_MAX_FRAME_SIZE).
  static let defaultMaxFrameSize = 1 << 14

  /// Reads the header at `index`; `nil` when the buffer does not hold nine bytes there.
  init?(_ bytes: ByteBuffer, at index: Int) {
    guard let first = bytes.getInteger(at: index, as: UInt64.self),
      let last = bytes.getInteger(at: index + 8, as: UInt8.self)
    else { return nil }
    payload = Int(first >> 40)
    type = UInt8(truncatingIfNeeded: first >> 32)
    flags = UInt8(truncatingIfNeeded: first >> 24)
    let id = Int(first & 0xff_ffff) << 8 | Int(last)
    isReservedBitSet = id & 0x8000_0000 != 0
    stream = id & 0x7fff_ffff
  }

  var kind: Kind? { Kind(rawValue: type) }
  /// Header and payload.
  var total: Int { HTTP2FrameHeader.length + payload }

  func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

  /// Whether a frame may look like this where one is expected: stream and size fit the type (RFC 9113 §6).
  var isValid: Bool {
    switch kind {
    case .data, .headers, .pushPromise, .continuation: stream != 0
    case .priority: stream != 0 && payload == 5
    case .reset: stream != 0 && payload == 4
    case .settings: stream == 0 && payload % 6 == 0 && (flags & 1 == 0 || payload == 0)
    case .ping: stream == 0 && payload == 8
    case .goAway: stream == 0 && payload >= 8
    case .windowUpdate: payload == 4
    case nil: payload <= HTTP2FrameHeader.defaultMaxFrameSize
    }
  }

  /// Whether it is likely a frame's where any byte may stand: also nothing undefined is set.
  var isPlausible: Bool {
    guard isValid, !isReservedBitSet, payload <= HTTP2FrameHeader.defaultMaxFrameSize else {
      return false
    }
    let defined: UInt8 =
      switch kind {
      case .data: Flag.endStream | Flag.padded
      case .headers: Flag.endStream | Flag.endHeaders | Flag.padded | Flag.priority
      case .pushPromise: Flag.endHeaders | Flag.padded
      case .continuation: Flag.endHeaders
      case .settings, .ping: Flag.endStream
      case .priority, .reset, .goAway, .windowUpdate: 0
      case nil: 0
      }
    return kind != nil && flags & ~defined == 0
  }
}
