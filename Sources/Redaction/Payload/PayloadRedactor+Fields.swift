public import Basics
import NIOCore

extension PayloadRedactor {
  /// Returns header fields with what the rules find in their values replaced, and with what they repeat of params: `Mcp-Param-…` and
  /// `Mcp-Name`, also in base64. `shown` are the fields with credentials replaced, which stay.
  public func fields(
    _ shown: HeaderFields, of original: HeaderFields, repeating changes: [RedactedPayload.Change]
  ) -> HeaderFields {
    var draft: HeaderDraft?
    for i in original.indices {
      let value = original.value(i)
      let isRepeated = PayloadRedactor.repeats(original.name(i))
      guard
        let replaced = isRepeated ? repeated(value, changes) : text(value, over: shown.value(i))
      else { continue }
      var fields = draft.take() ?? HeaderDraft(shown.block)
      fields.setValue(i, replaced.span)
      draft = fields
    }
    return draft.map { shown.replacing($0.block) } ?? shown
  }

  /// Whether a field repeats a part of params (revision 2026-07-28).
  private static func repeats(_ name: Span<UInt8>) -> Bool {
    guard name.count >= 8, name[3] == 0x2d else { return false }
    if name.count == 8 { return isSameIgnoringCase(name, "mcp-name".utf8Span.span) }
    return name.count > 10
      && isSameIgnoringCase(name.extracting(0..<10), "mcp-param-".utf8Span.span)
  }

  private static let base64Start = "=?base64?"
  private static let base64End = "?="

  private func repeated(
    _ value: Span<UInt8>, _ changes: [RedactedPayload.Change]
  ) -> [UInt8]? {
    let string = ByteScan.string(value, 0..<value.count)
    guard string.hasPrefix(PayloadRedactor.base64Start),
      string.hasSuffix(PayloadRedactor.base64End),
      let decoded = Base64.decode(
        String(
          string.dropFirst(PayloadRedactor.base64Start.utf8.count)
            .dropLast(PayloadRedactor.base64End.utf8.count)))
    else { return plain(value, changes) }
    let text = decoded.readableBytesUInt8Span
    return plain(text, changes).map { replaced in
      Array(
        (PayloadRedactor.base64Start + Base64.encode(ByteBuffer(bytes: replaced))
          + PayloadRedactor.base64End).utf8)
    }
  }

  private func plain(_ value: Span<UInt8>, _ changes: [RedactedPayload.Change]) -> [UInt8]? {
    let hash = ByteScan.hash(value)
    if let change = changes.first(where: { $0.original == hash }) { return change.text }
    if isKnown(value) { return surrogate.value([UInt8](copying: value)) }
    return text(value)
  }
}
