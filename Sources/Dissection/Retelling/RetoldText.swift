import Basics
import NIOCore
import Trace

/// The JSON-RPC text of messages, made anew from their lines.
///
/// White space that a message had is not kept, but counts in its size: as much is put in front of its last brace.
enum RetoldText {
  /// More than a body that is kept can have is no size.
  private static let longest = 16 << 20

  /// A request.
  static func of(_ line: RequestLine) -> ByteBuffer {
    padded(line.bytes) {
      $0.member("jsonrpc", "2.0")
      $0.member("id", line.id)
      $0.member("method", line.method)
      $0.member("params", line.params)
    }
  }

  /// A notification.
  static func of(_ line: NotificationLine) -> ByteBuffer {
    padded(line.bytes) {
      $0.member("jsonrpc", "2.0")
      $0.member("method", line.method)
      $0.member("params", line.params)
    }
  }

  /// An answer to the request `id`. What was not kept of it is as empty as its outcome allows.
  static func of(_ line: ResponseLine, id: MessageToken?) -> ByteBuffer {
    padded(line.bytes) {
      $0.member("jsonrpc", "2.0")
      if let id { $0.member("id", id.json) } else { $0.null("id") }
      if let error = line.error {
        $0.member("error", error)
      } else if let code = line.code {
        $0.member("error", JSONValue.object([.init("code", .int(Int(code)))]))
      } else if line.outcome == .jsonrpcError {
        $0.member("error", JSONValue.object([.init("code", .int(0))]))
      } else if let result = line.result {
        $0.member("result", result)
      } else {
        let isError = line.outcome == .toolError
        $0.member(
          "result", JSONValue.object(isError ? [.init("isError", .bool(true))] : []))
      }
    }
  }

  /// A batch of messages.
  static func batch(_ messages: [ByteBuffer]) -> ByteBuffer {
    var text = ByteBuffer()
    text.writeString("[")
    for (i, message) in messages.enumerated() {
      if i > 0 { text.writeString(",") }
      text.writeImmutableBuffer(message)
    }
    text.writeString("]")
    return text
  }

  private static func padded(_ size: Int?, _ write: (inout JSONWriter) -> Void) -> ByteBuffer {
    let text = JSONWriter.object(write).bytes
    let missing = min(size ?? 0, longest) - text.readableBytes
    guard missing > 0,
      var padded = text.getSlice(at: text.readerIndex, length: text.readableBytes - 1)
    else { return text }
    padded.writeRepeatingByte(0x20, count: missing)
    padded.writeString("}")
    return padded
  }
}

extension MessageToken {
  /// The token as JSON.
  var json: RawJSON {
    switch self {
    case .long(let json): return json
    case .short(let word):
      var text = ByteBuffer()
      for shift in stride(from: 56, through: 0, by: -8) {
        let byte = UInt8(truncatingIfNeeded: word >> UInt64(shift))
        if byte != 0 { text.writeInteger(byte) }
      }
      return RawJSON(trusted: text)
    }
  }
}
