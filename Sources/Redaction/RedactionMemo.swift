public import Basics

/// Redaction of header fields that remembers: names come again in every message, and so do most secrets.
///
/// Two tables with a few places for each hash; what comes later takes the last of them. So memory is bounded, and whoever
/// makes hashes collide only makes it work as if nothing were remembered.
public final class RedactionMemo {
  private final class Name {
    let text: [UInt8]
    let secrecy: Redactor.Secrecy

    init(text: [UInt8], secrecy: Redactor.Secrecy) {
      self.text = text
      self.secrecy = secrecy
    }
  }

  private final class Secret {
    let text: [UInt8]
    let secrecy: Redactor.Secrecy
    let hidden: [UInt8]

    init(text: [UInt8], secrecy: Redactor.Secrecy, hidden: [UInt8]) {
      self.text = text
      self.secrecy = secrecy
      self.hidden = hidden
    }
  }

  /// Places for a hash.
  private static let ways = 4
  private static let namesKept = 1024
  private static let secretsKept = 2048
  /// Longer names and values are not remembered: cookies of 4 KiB, so that all take at most 20 MiB.
  private static let longest = 4096

  private let redactor: Redactor
  private var names = [Name?](repeating: nil, count: namesKept)
  private var secrets = [Secret?](repeating: nil, count: secretsKept)

  /// Remembers nothing yet.
  public init(_ redactor: Redactor) { self.redactor = redactor }

  /// Returns the fields with credentials replaced.
  public func fields(_ fields: HeaderFields) -> HeaderFields {
    var hidden: HeaderDraft?
    for i in fields.indices {
      let secrecy = secrecy(fields.name(i))
      if secrecy == .none { continue }
      var draft = hidden.take() ?? HeaderDraft(fields.block)
      hide(fields.value(i), secrecy) { draft.setValue(i, $0.span) }
      hidden = draft
    }
    return hidden.map { fields.replacing($0.block) } ?? fields
  }

  private func secrecy(_ name: Span<UInt8>) -> Redactor.Secrecy {
    var slot = RedactionMemo.slot(name, of: RedactionMemo.namesKept)
    for probe in slot..<slot + RedactionMemo.ways {
      slot = probe
      guard let known = names[slot] else { break }
      let text = known.text
      if ByteScan.isEqual(text.span, name) { return known.secrecy }
    }
    let secrecy = Redactor.secrecy(ofHeader: ByteScan.string(name, 0..<name.count))
    if name.count <= RedactionMemo.longest {
      names[slot] = Name(text: copy(name), secrecy: secrecy)
    }
    return secrecy
  }

  private func hide(
    _ value: Span<UInt8>, _ secrecy: Redactor.Secrecy, _ body: ([UInt8]) -> Void
  ) {
    var slot = RedactionMemo.slot(value, of: RedactionMemo.secretsKept)
    for probe in slot..<slot + RedactionMemo.ways {
      slot = probe
      guard let known = secrets[slot] else { break }
      let text = known.text
      if known.secrecy == secrecy, ByteScan.isEqual(text.span, value) {
        return body(known.hidden)
      }
    }
    let hidden = Array(redactor.value(ByteScan.string(value, 0..<value.count), secrecy).utf8)
    if value.count <= RedactionMemo.longest {
      secrets[slot] = Secret(text: copy(value), secrecy: secrecy, hidden: hidden)
    }
    body(hidden)
  }

  /// The first of the places for a text in a table of so many.
  private static func slot(_ text: Span<UInt8>, of count: Int) -> Int {
    Int(truncatingIfNeeded: ByteScan.hash(text)) & (count / ways - 1) * ways
  }

  private func copy(_ bytes: Span<UInt8>) -> [UInt8] {
    unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
  }
}
