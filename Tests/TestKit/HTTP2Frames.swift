import NIOCore
import NIOHPACK

/// Writes the frames of one direction of an HTTP/2 connection.
public struct HTTP2Frames: Sendable {
  /// What a client sends first.
  public static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private var encoder = HPACKEncoder(allocator: ByteBufferAllocator())

  /// Begins with an empty compression table.
  public init() {}

  /// One frame of any kind.
  public static func frame(
    _ type: UInt8, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []
  ) -> [UInt8] {
    var buffer = ByteBuffer()
    buffer.writeInteger(UInt8(payload.count >> 16))
    buffer.writeInteger(UInt16(truncatingIfNeeded: payload.count))
    buffer.writeBytes([type, flags])
    buffer.writeInteger(UInt32(stream))
    buffer.writeBytes(payload)
    return Array(buffer.readableBytesView)
  }

  /// Compresses fields as `name: value` lines.
  public mutating func block(_ fields: [String]) -> [UInt8] {
    do {
      try encoder.beginEncoding(allocator: ByteBufferAllocator())
      for field in fields {
        let colon = field.dropFirst().firstIndex(of: ":") ?? field.endIndex
        let value = field[colon...].dropFirst()
        try encoder.append(header: String(field[..<colon]), value: String(value.drop { $0 == " " }))
      }
      return Array(try encoder.endEncoding().readableBytesView)
    } catch {
      preconditionFailure("one block at a time")
    }
  }

  /// HEADERS with `name: value` lines, over `frames` frames (CONTINUATIONs behind the first).
  public mutating func headers(
    _ stream: Int, _ fields: [String], end: Bool = false, frames: Int = 1, padding: Int? = nil,
    priority: Bool = false
  ) -> [UInt8] {
    let block = block(fields)
    let size = max(1, (block.count + frames - 1) / frames)
    var parts = stride(from: 0, to: block.count, by: size).map {
      Array(block[$0..<min($0 + size, block.count)])
    }
    var flags: UInt8 = end ? 0x1 : 0
    var first = parts.removeFirst()
    if priority {
      flags |= 0x20
      first = [0, 0, 0, 0, 15] + first
    }
    if let padding {
      flags |= 0x8
      first = [UInt8(padding)] + first + [UInt8](repeating: 0, count: padding)
    }
    if parts.isEmpty { flags |= 0x4 }
    var bytes = HTTP2Frames.frame(1, flags: flags, stream: stream, first)
    for (index, part) in parts.enumerated() {
      bytes += HTTP2Frames.frame(
        9, flags: index == parts.count - 1 ? 0x4 : 0, stream: stream, part)
    }
    return bytes
  }

  /// PUSH_PROMISE on `stream`.
  public mutating func promise(_ stream: Int, _ promised: Int, _ fields: [String]) -> [UInt8] {
    HTTP2Frames.frame(
      5, flags: 0x4, stream: stream,
      HTTP2Frames.bigEndian(UInt32(promised)) + block(fields))
  }

  /// DATA with text.
  public static func data(
    _ stream: Int, _ text: String, end: Bool = false, padding: Int? = nil
  ) -> [UInt8] {
    var payload = Array(text.utf8)
    if let padding {
      payload = [UInt8(padding)] + payload + [UInt8](repeating: 0, count: padding)
    }
    let flags: UInt8 = (end ? 0x1 : 0) | (padding == nil ? 0 : 0x8)
    return frame(0, flags: flags, stream: stream, payload)
  }

  /// SETTINGS of one value.
  public static let settings = frame(4, [0, 3, 0, 0, 0, 100])
  /// WINDOW_UPDATE of a stream.
  public static func window(_ stream: Int) -> [UInt8] { frame(8, stream: stream, [0, 0, 16, 0]) }
  /// RST_STREAM.
  public static func reset(_ stream: Int, _ code: UInt32) -> [UInt8] {
    frame(3, stream: stream, bigEndian(code))
  }
  /// GOAWAY.
  public static func goAway(_ last: Int, _ code: UInt32 = 0) -> [UInt8] {
    frame(7, bigEndian(UInt32(last)) + bigEndian(code))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    Array(ByteBuffer(integer: value).readableBytesView)
  }
}
