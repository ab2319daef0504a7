import Basics

/// Request lines and status lines (RFC 9112 §3, §4), as lenient as servers and tshark are.
///
/// A request line's target is all between the method and the version, spaces too (nginx takes them); without a version
/// (HTTP/0.9) only registered methods count, lest any text be a request. A status line may lack its reason, repeat its
/// white space, or have another version (ICY too).
enum StartLine {
  /// Longest method that is read (the longest registered has 16 letters).
  static let methodLimit = 32

  /// The methods that count without a version (RFC 9110, and one that scanners use).
  private static let bareMethods: Set<String> = [
    "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "CCM_POST",
  ]

  /// The methods that count in the middle of bytes: RFC 9110, WebDAV and what tshark knows.
  static let methods: Set<String> = [
    "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PROPFIND",
    "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "MERGE",
    "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL", "MKACTIVITY",
    "VERSION-CONTROL", "BASELINE-CONTROL", "MKCALENDAR", "ACL", "BIND", "REBIND", "UNBIND", "LINK",
    "UNLINK", "ORDERPATCH", "SUBSCRIBE", "UNSUBSCRIBE", "NOTIFY", "POLL", "BCOPY", "BDELETE",
    "BMOVE", "BPROPFIND", "BPROPPATCH", "RPC_IN_DATA", "RPC_OUT_DATA", "RPC_CONNECT", "CCM_POST",
    "M-SEARCH", "PURGE", "SOURCE", "QUERY",
  ]

  /// Where a request line's parts are.
  struct RequestParts {
    var method: Range<Int>
    var target: Range<Int>
    var hasVersion: Bool
  }

  /// Finds the parts of the request line in `line`; `nil` when it is none.
  static func request(_ bytes: Span<UInt8>, _ line: Range<Int>) -> RequestParts? {
    let line = trimmed(bytes, line)
    var end = line.lowerBound
    while end < line.upperBound, isToken(bytes[end]) { end += 1 }
    let method = line.lowerBound..<end
    guard !method.isEmpty, method.count <= methodLimit,
      end == line.upperBound || isSpace(bytes[end])
    else { return nil }
    let rest = trimmed(bytes, end..<line.upperBound)
    var word = rest.upperBound
    while word > rest.lowerBound, !isSpace(bytes[word - 1]) { word -= 1 }
    let last = word..<rest.upperBound
    if isVersion(bytes, last), word > rest.lowerBound {
      let target = trimmed(bytes, rest.lowerBound..<word)
      return RequestParts(method: method, target: target, hasVersion: true)
    }
    // RTSP and SIP have lines like this one, with versions of their own.
    guard bareMethods.contains(ByteScan.string(bytes, method)), !namesProtocol(bytes, last) else {
      return nil
    }
    var stop = rest.lowerBound
    while stop < rest.upperBound, !isSpace(bytes[stop]) { stop += 1 }
    return RequestParts(method: method, target: rest.lowerBound..<stop, hasVersion: false)
  }

  /// Reads the status of the status line in `line`; `nil` when it is none.
  static func status(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Int? {
    let line = trimmed(bytes, line)
    var i = line.lowerBound
    while i < line.upperBound, !isSpace(bytes[i]) { i += 1 }
    let version = line.lowerBound..<i
    guard isVersion(bytes, version) || text(bytes, version, is: "ICY") else { return nil }
    while i < line.upperBound, isSpace(bytes[i]) { i += 1 }
    guard i + 3 <= line.upperBound else { return nil }
    var status = 0
    for byte in i..<(i + 3) {
      guard bytes[byte] >= 0x30, bytes[byte] <= 0x39 else { return nil }
      status = status * 10 + Int(bytes[byte] - 0x30)
    }
    return status >= 100 ? status : nil
  }

  /// Returns whether bytes could begin a message of this kind: enough to sniff by, cheap.
  static func isPlausible(_ bytes: Span<UInt8>, request: Bool) -> Bool {
    if !request {
      return bytes.count > 0
        && (begins(bytes, 0, with: "HTTP/1.") || begins(bytes, 0, with: "ICY 2"))
    }
    var i = 0
    while i < bytes.count, bytes[i] != 0x20 {
      let isLetter = bytes[i] >= 0x41 && bytes[i] <= 0x5a
      guard isLetter || (i > 0 && (bytes[i] == 0x5f || bytes[i] == 0x2d)), i < 16 else {
        return false
      }
      i += 1
    }
    if i == bytes.count { return i > 0 }
    guard i >= 3 else { return false }
    while i < bytes.count, bytes[i] == 0x20 { i += 1 }
    return i == bytes.count || bytes[i] > 0x20
  }

  /// Returns whether the bytes at `start` are `text`, as far as they go.
  static func begins(_ bytes: Span<UInt8>, _ start: Int, with text: StaticString) -> Bool {
    let count = min(text.utf8CodeUnitCount, bytes.count - start)
    // The literal's own length bounds the reads.
    return (0..<count).allSatisfy { unsafe bytes[start + $0] == text.utf8Start[$0] }
  }

  /// Returns whether a whole word is `HTTP/` and a version of whatever number.
  private static func isVersion(_ bytes: Span<UInt8>, _ word: Range<Int>) -> Bool {
    guard word.count >= 5, word.count <= 16 else { return false }
    let name: [UInt8] = [0x68, 0x74, 0x74, 0x70]
    return name.indices.allSatisfy { asciiLowercase(bytes[word.lowerBound + $0]) == name[$0] }
      && bytes[word.lowerBound + 4] == 0x2f
  }

  /// Returns whether a word is a protocol's name and version (`RTSP/1.0`).
  private static func namesProtocol(_ bytes: Span<UInt8>, _ word: Range<Int>) -> Bool {
    guard let slash = word.first(where: { bytes[$0] == 0x2f }), slash + 1 < word.upperBound,
      !isVersion(bytes, word)
    else { return false }
    let isName = (word.lowerBound..<slash).allSatisfy { bytes[$0] >= 0x41 && bytes[$0] <= 0x5a }
    return isName && slash > word.lowerBound && bytes[slash + 1] &- 0x30 < 10
  }

  private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>, is text: StaticString) -> Bool
  {
    range.count == text.utf8CodeUnitCount && begins(bytes, range.lowerBound, with: text)
  }

  /// The range without white space (and stray CR and NUL) around it.
  static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (a, b) = (range.lowerBound, range.upperBound)
    while a < b, isSpace(bytes[a]) { a += 1 }
    while b > a, isSpace(bytes[b - 1]) { b -= 1 }
    return a..<b
  }

  /// White space, and what evaders put in its place.
  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0
  }

  /// A character of a method or a field name (RFC 9110 §5.6.2).
  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e...0x60, 0x7c, 0x7e: true
    default: false
    }
  }
}
