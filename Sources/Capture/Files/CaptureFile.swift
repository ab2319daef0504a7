import NIOCore

/// Reads a capture file: pcap of every kind, pcapng, either in gzip or zstd; a file, a pipe or standard input.
///
/// A file that ends inside a record (its writer was killed) is read up to there, and the bytes left over are counted. A
/// damaged record throws; what came before it is good. Memory is one block of `blockSize`, or a record if that is
/// longer, and what a decompressor's window needs.
public final class CaptureFile {
  /// How much is read at once: a block stays in the L2 cache while its frames are worked on.
  public static let blockSize = 256 << 10

  /// The path as given, `-` for standard input.
  public let path: String
  /// Whether the file can be opened again.
  public var isRegular: Bool { input.isRegular }

  private let input: InputFile
  private var decoder = CaptureDecoder()
  private var containerCounters = CaptureCounters()
  private var isAtEnd = false

  /// Opens a capture; what it is shows at the first `next()`.
  ///
  /// - Parameter path: A file, or `-` for standard input.
  /// - Throws: `cannotOpen`.
  public init(path: String) throws(CaptureError) {
    self.path = path
    input = try InputFile(path: path)
  }

  /// What was met that is not a frame; complete once `next()` has returned `nil` or thrown.
  public var counters: CaptureCounters {
    var counters = decoder.counters
    counters.add(containerCounters)
    return counters
  }

  /// Returns the next item; `nil` at the end of the file, and after an error.
  ///
  /// Let go of the item before the next call: its block is then used again.
  /// - Throws: `cannotOpen` when the system cannot read on, `notACapture`, `unsupported`, `corruptBlock`,
  ///   `corruptContainer`; the file ends there.
  public func next() throws(CaptureError) -> CaptureItem? {
    while true {
      if let item = try decode() { return item }
      guard !isAtEnd else { return nil }
      switch try fill() {
      case .bytes: continue
      case .waiting: return .waiting
      case .end: try end()
      }
    }
  }

  @inline(__always)
  private func decode() throws(CaptureError) -> CaptureItem? {
    do throws(CaptureFormatError) {
      return try decoder.next()
    } catch {
      isAtEnd = true
      throw CaptureError(error.what, path: path, offset: error.offset, cause: error.cause)
    }
  }

  /// Reads the next block.
  private func fill() throws(CaptureError) -> Refill {
    do throws(CaptureError) {
      return try decoder.refill(capacity: CaptureFile.blockSize) {
        (buffer) throws(CaptureError) in
        try input.read(into: &buffer, room: CaptureFile.blockSize)
      }
    } catch {
      isAtEnd = true
      if error.what == .corruptContainer { containerCounters.count(.corruptContainer) }
      throw error
    }
  }

  private func end() throws(CaptureError) {
    isAtEnd = true
    if input.isCutOff { containerCounters.count(.truncatedContainer) }
    if input.trailing > 0 { containerCounters.count(.trailingBytes, input.trailing) }
    do throws(CaptureFormatError) {
      try decoder.finish()
    } catch {
      throw CaptureError(error.what, path: path, offset: error.offset, cause: error.cause)
    }
  }
}
