/// Comma-separated values (RFC 4180): fields in quotes may hold commas, line breaks and doubled quotes.
public struct CSVRecords: Sendable {
  /// One record and the line that it begins on, from 1.
  public struct Record: Hashable, Sendable {
    /// The fields, without quotes.
    public var fields: [String]
    /// Line of the text.
    public var line: Int
  }

  /// Why a text is none.
  public struct SyntaxError: Error, Hashable, Sendable {
    /// Line of the text, from 1, of the field that is wrong.
    public var line: Int
    /// What is wrong with it.
    public var reason: String
  }

  /// The records in order; empty lines are none.
  public private(set) var records: [Record] = []

  /// Reads a text. O(n).
  ///
  /// - Throws: `SyntaxError` for a quote that is never closed, or text behind a closed one.
  public init(_ text: String) throws(SyntaxError) {
    var record = Record(fields: [], line: 1)
    var field: [UInt8] = []
    var (line, quotedAt) = (1, 0)
    var (isQuoted, wasQuoted) = (false, false)
    var bytes = Array(text.utf8)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    var i = 0
    func endField() {
      record.fields.append(String(decoding: field, as: UTF8.self))
      field = []
      wasQuoted = false
    }
    func endRecord() {
      let isEmpty = record.fields.isEmpty && field.isEmpty && !wasQuoted
      if !isEmpty {
        endField()
        records.append(record)
      }
      record = Record(fields: [], line: line + 1)
    }
    while i < bytes.count {
      let byte = bytes[i]
      if isQuoted {
        if byte == 0x22, i + 1 < bytes.count, bytes[i + 1] == 0x22 {
          field.append(byte)
          i += 1
        } else if byte == 0x22 {
          (isQuoted, wasQuoted) = (false, true)
        } else {
          if byte == 0x0a { line += 1 }
          field.append(byte)
        }
      } else {
        switch byte {
        case 0x22 where field.isEmpty && !wasQuoted: (isQuoted, quotedAt) = (true, line)
        case 0x2c: endField()
        case 0x0d where i + 1 < bytes.count && bytes[i + 1] == 0x0a: break
        case 0x0a:
          endRecord()
          line += 1
        default:
          guard !wasQuoted else {
            throw SyntaxError(line: line, reason: "text behind a closing quote")
          }
          field.append(byte)
        }
      }
      i += 1
    }
    guard !isQuoted else { throw SyntaxError(line: quotedAt, reason: "a quote that is not closed") }
    endRecord()
  }
}
