import Glibc
import NIOCore
import Wire

/// Reads a key log that a client or server is still writing; it may not be there yet.
final class KeyLogFollower {
  private let path: String
  private var reader: TLSKeyLogReader
  private var descriptor: Int32 = -1

  init(_ path: String, into log: TLSKeyLog) {
    self.path = path
    reader = TLSKeyLogReader(log)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Takes what has been written since the last time.
  func read() {
    if descriptor < 0 { descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { return }
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      guard count > 0 else { return }
      reader.append(ByteBuffer(bytes: bytes[..<count]))
    }
  }
}
