internal import CBrotli
import NIOCore

/// The reference decoder of RFC 7932. Its window is 16 MiB at most.
@safe
final class BrotliEngine {
  private let state: OpaquePointer?

  init() { unsafe state = BrotliDecoderCreateInstance(nil, nil, nil) }

  deinit { unsafe BrotliDecoderDestroyInstance(state) }

  func run(_ input: inout ByteBuffer, into out: inout ByteBuffer, room: Int) -> CodingStatus {
    guard let state = unsafe state else { return .broken }
    var result = BROTLI_DECODER_RESULT_ERROR
    let used = unsafe input.withUnsafeReadableBytes { bytes in
      var next = unsafe bytes.bindMemory(to: UInt8.self).baseAddress
      var left = bytes.count
      unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        var place = unsafe space.bindMemory(to: UInt8.self).baseAddress
        var free = room
        result = unsafe BrotliDecoderDecompressStream(state, &left, &next, &free, &place, nil)
        return room - free
      }
      return bytes.count - left
    }
    input.moveReaderIndex(forwardBy: used)
    return switch result {
    case BROTLI_DECODER_RESULT_SUCCESS: .finished
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: .more
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: .full
    default: .broken
    }
  }
}
