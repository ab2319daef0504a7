public import NIOCore

/// Reads the NSS key log format into a `TLSKeyLog`, in parts of any size.
///
/// A line is `LABEL CLIENT-RANDOM SECRET`, both in hex; comments (`#`) and empty lines are skipped, as are CRs and what
/// stands around the fields. Secrets of other uses (exporters, QUIC, ECH) and forms that need the handshake's messages
/// (`RSA`, `PMS_CLIENT_RANDOM`) are counted as ignored.
public struct TLSKeyLogReader {
  /// Lines that gave a secret.
  public private(set) var secrets = 0
  /// Lines in the format that say nothing of records.
  public private(set) var ignored = 0
  /// Lines that are not in the format.
  public private(set) var malformed = 0
  /// Number of the first of these, from 1.
  public private(set) var firstMalformed: Int?
  /// Lines that were ended.
  public private(set) var lines = 0

  /// Longest line that is read; the format's are below 300 bytes.
  private static let lineLimit = 4096

  /// Secrets of records from which the keys could be told with the whole handshake at hand.
  private static let unreadForms = ["RSA", "PMS_CLIENT_RANDOM"]

  private let log: TLSKeyLog
  private var partial: [UInt8] = []
  private var isTooLong = false

  /// Creates a reader at the beginning of a text.
  public init(_ log: TLSKeyLog) { self.log = log }

  /// Takes the next part of the text; a line that it leaves open waits for the next one.
  public mutating func append(_ part: ByteBuffer) {
    for byte in part.readableBytesView {
      if byte == 0x0a {
        endLine()
      } else if partial.count < TLSKeyLogReader.lineLimit {
        partial.append(byte)
      } else {
        isTooLong = true
      }
    }
  }

  /// Takes the end of the text, which ends its last line.
  public mutating func finish() {
    if !partial.isEmpty { endLine() }
  }

  private mutating func endLine() {
    defer {
      partial.removeAll(keepingCapacity: true)
      isTooLong = false
    }
    lines += 1
    let fields = partial.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
    guard let label = fields.first, label.first != 0x23 else { return }
    guard !isTooLong, read(label: label, fields.dropFirst()) else {
      malformed += 1
      if firstMalformed == nil { firstMalformed = lines }
      return
    }
  }

  /// Returns false when the line is not in the format.
  private mutating func read(label: ArraySlice<UInt8>, _ values: ArraySlice<ArraySlice<UInt8>>)
    -> Bool
  {
    let name = String(decoding: label, as: UTF8.self)
    guard values.count == 2, let first = values.first, let last = values.last else { return false }
    guard let known = TLSKeyLog.Label(rawValue: name) else {
      // "RSA Session-ID:… Master-Key:…" has its hex behind a colon.
      let hex = [first, last].map { $0.split(separator: 0x3a).last ?? [] }
      let isLabel = label.allSatisfy { $0 == 0x5f || 0x30...0x39 ~= $0 || 0x41...0x5a ~= $0 }
      guard isLabel, hex.allSatisfy({ bytes(hex: $0) != nil }) else { return false }
      ignored += 1
      if TLSKeyLogReader.unreadForms.contains(name) { log.note(unused: name) }
      return true
    }
    guard let randomBytes = bytes(hex: first), randomBytes.count == 32,
      let secret = bytes(hex: last), isPlausible(secret.count, for: known)
    else { return false }
    var buffer = ByteBuffer(bytes: randomBytes)
    guard let random = TLSRandom(readingFrom: &buffer) else { return false }
    log.insert(known, random, secret)
    secrets += 1
    return true
  }

  /// A master secret has 48 bytes, a traffic secret the length of its hash.
  private func isPlausible(_ count: Int, for label: TLSKeyLog.Label) -> Bool {
    label == .master ? count == 48 : count == 32 || count == 48
  }

  private func bytes(hex: ArraySlice<UInt8>) -> [UInt8]? {
    guard hex.count.isMultiple(of: 2), !hex.isEmpty else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(hex.count / 2)
    var high: UInt8?
    for digit in hex {
      let value: UInt8
      switch digit {
      case 0x30...0x39: value = digit - 0x30
      case 0x41...0x46: value = digit - 0x41 + 10
      case 0x61...0x66: value = digit - 0x61 + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}
