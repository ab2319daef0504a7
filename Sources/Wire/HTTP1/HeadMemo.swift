import Basics

/// The last heads of a direction: clients and servers begin their messages in few ways, but for the length of the body.
///
/// A head that is the same byte for byte, or but for the digits of its `Content-Length`, says the same: it shares the fields
/// (`HeaderBlock`) and needs no reading. That holds where these digits decide nothing but the body's length: heads with
/// several lengths, with a length and a coding, or of answers that have no body are not remembered.
struct HeadMemo: Sendable {
  /// What the start line says.
  enum StartLine: Sendable {
    case request(method: String, target: String)
    case response(status: Int)
  }

  /// What a head says. Shared by all messages that begin with it: a copy would count once more the references to its fields,
  /// which the other thread counts too.
  final class Head: Sendable {
    let startLine: StartLine
    let fields: HeaderFields
    let framing: BodyFraming
    /// What frames the body when it turns out not to be chunked.
    let unchunked: BodyFraming
    /// True when it says that no other message follows.
    let isLast: Bool

    init(
      startLine: StartLine, fields: HeaderFields, framing: BodyFraming, unchunked: BodyFraming,
      isLast: Bool
    ) {
      self.startLine = startLine
      self.fields = fields
      self.framing = framing
      self.unchunked = unchunked
      self.isLast = isLast
    }
  }

  /// A head that was read, with its bytes.
  final class Known: Sendable {
    let head: Head
    fileprivate let bytes: [UInt8]
    /// Where the digits of the length lie; empty at the end of a head without any.
    fileprivate let digits: Range<Int>

    fileprivate init(_ head: Head, _ bytes: [UInt8], _ digits: Range<Int>) {
      self.head = head
      self.bytes = bytes
      self.digits = digits
    }
  }

  /// Heads that are remembered: a server answers with JSON, a stream, or that it accepted a message.
  private static let kept = 4
  /// Longer heads are not remembered: those of SDKs have some hundred bytes, and many connections are open at once.
  private static let longest = 4096

  private var known: [Known] = []
  /// The one that is forgotten next.
  private var oldest = 0

  /// Remembers a head that was read.
  ///
  /// - Parameter fieldsStart: Where the text of the fields begins, if it is theirs as it stands.
  mutating func remember(_ head: Head, _ bytes: Span<UInt8>, fieldsStart: Int?) {
    guard let fieldsStart, bytes.count <= HeadMemo.longest else { return }
    var digits = bytes.count..<bytes.count
    if head.fields.has(.contentLength) {
      guard case .length = head.framing, let varying = head.fields.block.varyingRange else {
        return
      }
      digits = fieldsStart + varying.lowerBound..<fieldsStart + varying.upperBound
    }
    if case .response(let status) = head.startLine, status < 200 { return }
    let new = Known(head, unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }, digits)
    if known.count < HeadMemo.kept { return known.append(new) }
    known[oldest] = new
    oldest = (oldest + 1) % HeadMemo.kept
  }

  /// Forgets all, for a connection that may stay silent for long.
  mutating func forget() {
    known = []
    oldest = 0
  }

  /// A head that is like one that was read; of its own it may have the length of the body.
  struct Match {
    /// Which of those that are remembered.
    fileprivate let index: Int
    fileprivate let digits: HeaderFields.Digits?
    fileprivate let bodyLength: Int
    /// Bytes of it.
    let length: Int

    /// Its fields.
    func fields(of known: Known) -> HeaderFields {
      digits.map { HeaderFields(known.head.fields.block, varied: $0) } ?? known.head.fields
    }

    /// What frames its body.
    func framing(of known: Known) -> BodyFraming {
      digits == nil ? known.head.framing : .length(bodyLength)
    }
  }

  /// The head that was read.
  subscript(_ match: Match) -> Known { known[match.index] }

  /// Returns the head that `input` begins with, if it is one of those that are remembered.
  func match(_ input: Span<UInt8>) -> Match? {
    for i in known.indices {
      if let match = HeadMemo.match(known[i], i, input) { return match }
    }
    return nil
  }

  private static func match(_ known: Known, _ index: Int, _ input: Span<UInt8>) -> Match? {
    let digits = known.digits
    guard input.count >= digits.lowerBound else { return nil }
    let text = known.bytes
    let bytes = text.span
    guard
      ByteScan.isEqual(
        input.extracting(0..<digits.lowerBound), bytes.extracting(0..<digits.lowerBound))
    else { return nil }
    var end = digits.lowerBound
    var length = 0
    if !digits.isEmpty {
      let limit = min(input.count, end + HeaderFields.Digits.limit)
      while end < limit, input[end] &- 0x30 < 10 {
        length = length * 10 + Int(input[end] &- 0x30)
        end += 1
      }
      guard end > digits.lowerBound else { return nil }
    }
    let rest = bytes.count - digits.upperBound
    guard input.count - end >= rest,
      ByteScan.isEqual(
        input.extracting(end..<end + rest), bytes.extracting(digits.upperBound..<bytes.count))
    else { return nil }
    return Match(
      index: index,
      digits: digits.isEmpty
        ? nil : HeaderFields.Digits(input.extracting(digits.lowerBound..<end)),
      bodyLength: length, length: end + rest)
  }
}
