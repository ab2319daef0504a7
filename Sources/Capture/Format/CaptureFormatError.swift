/// Why the bytes of a capture cannot be decoded, or not further.
public struct CaptureFormatError: Error, Hashable {
  /// `notACapture`, `unsupported` or `corruptBlock`.
  public let what: CaptureError.What
  /// Offset of the record concerned, in bytes from the file's beginning.
  public let offset: Int
  /// What is wrong with it.
  public let cause: String
}

/// An error of a record, before its offset is known.
struct Flaw: Error {
  var what: CaptureError.What
  var cause: String

  init(_ what: CaptureError.What, _ cause: String) {
    self.what = what
    self.cause = cause
  }
}
