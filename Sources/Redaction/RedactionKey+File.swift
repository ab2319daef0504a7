import Glibc

extension RedactionKey {
  /// Why a file gives no key.
  public struct FileError: Error, CustomStringConvertible, Sendable {
    /// One sentence: what is wrong, and what to do.
    public var description: String
  }

  /// Reads key material of at least 16 bytes; of more than 4096 the first count.
  ///
  /// - Throws: `FileError`.
  public init(file path: String) throws(FileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? ""
      throw FileError(description: "cannot read the redaction key \(path): \(reason)")
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    guard count >= 16 else {
      throw FileError(
        description:
          "the redaction key \(path) holds fewer than 16 bytes: write 32 random ones to it")
    }
    self.init(bytes: Array(bytes.prefix(count)))
  }
}
