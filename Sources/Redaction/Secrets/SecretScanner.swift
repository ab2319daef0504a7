import Basics

/// Finds what looks like a secret in a text, in one pass.
///
/// Theory: tokens are made so that programs can find them: a prefix at the beginning of a word, then so many bytes of an alphabet
/// (`SecretShape`, told apart by two bytes). What has no prefix has a structure (JWT, PEM, a bot's number and colon) or a context (a
/// URL's password, `Bearer`, `password=`), and is looked for at the mark that it cannot do without. Looking back is bounded, looking
/// ahead goes on behind what was found, so the time is linear.
struct SecretScanner {
  /// Places of secrets, in order.
  private(set) var found: [Range<Int>] = []
  private let index = SecretIndex.standard
  /// Where base64url text that no dot follows ends: no JWT begins before.
  private var noToken = 0
  /// Where a run of opaque bytes began.
  private var runStart = 0

  /// How long words have to be to be looked up among those that are known.
  static let knownLeast = 8

  /// Finds all of a text. Of one that is cut, what its last word may have been counts too; and words (of letters,
  /// digits, `_` and `-`) that are `known`.
  mutating func scan(_ text: Span<UInt8>, isCut: Bool = false, known secrets: inout KnownSecrets) {
    let looksUp = !secrets.isEmpty
    found.removeAll(keepingCapacity: true)
    noToken = 0
    runStart = 0
    let classesOfBytes = ByteClass.table
    let table = classesOfBytes.span
    let alnum = ByteClass.alnum.rawValue
    let opaque = ByteClass.opaque.rawValue
    let mark = ByteClass.mark.rawValue
    var i = 0
    var wordStart = 0
    while i < text.count {
      let classes = table[Int(text[i])]
      guard classes & alnum != 0 else {
        if looksUp, text[i] != 0x2d, text[i] != 0x5f {
          known(text, wordStart, i, &secrets)
          wordStart = i + 1
        }
        if classes & opaque == 0 {
          if i - runStart == 40 { randomToken(text, i) }
          runStart = i + 1
        }
        i = classes & mark != 0 ? atMark(text, i) : i + 1
        continue
      }
      if i + 1 < text.count {
        let (first, second) = (text[i], text[i + 1])
        if index.mayBegin(first, second), let token = index.match(text, i) {
          i = add(token)
          continue
        }
        if first == 0x65, second == 0x79, let end = jwt(text, i) {
          i = add(i..<end)
          continue
        }
        if first | 0x20 == 0x62, second | 0x20 == 0x65 || second | 0x20 == 0x61,
          let token = scheme(text, i)
        {
          i = add(token)
          continue
        }
      }
      repeat { i += 1 } while i < text.count && table[Int(text[i])] & alnum != 0
    }
    if looksUp { known(text, wordStart, text.count, &secrets) }
    if text.count - runStart == 40 { randomToken(text, text.count) }
    if isCut { lastWord(text) }
  }

  /// Adds a place behind those found; returns where to go on.
  @discardableResult
  mutating func add(_ range: Range<Int>) -> Int {
    guard let last = found.last, last.upperBound > range.lowerBound else {
      if !range.isEmpty { found.append(range) }
      runStart = max(runStart, range.upperBound)
      return range.upperBound
    }
    // What overlaps becomes one.
    let all = min(last.lowerBound, range.lowerBound)..<max(last.upperBound, range.upperBound)
    found[found.count - 1] = all
    runStart = max(runStart, all.upperBound)
    return all.upperBound
  }

  private mutating func known(
    _ text: Span<UInt8>, _ start: Int, _ end: Int, _ secrets: inout KnownSecrets
  ) {
    guard end - start >= SecretScanner.knownLeast else { return }
    if let last = found.last, last.upperBound > start { return }
    if secrets.contains(text.extracting(start..<end)) { add(start..<end) }
  }

  private mutating func lastWord(_ text: Span<UInt8>) {
    let table = ByteClass.table
    var start = text.count
    while start > 0, table[Int(text[start - 1])] & ByteClass.end.rawValue == 0 { start -= 1 }
    while let last = found.last, last.upperBound > start, last.lowerBound < start {
      start = last.lowerBound
    }
    while let last = found.last, last.lowerBound >= start { found.removeLast(last.isEmpty ? 0 : 1) }
    if start < text.count { found.append(start..<text.count) }
  }

  /// `header.claims.signature` in base64url, the first two JSON objects (RFC 7519, and encrypted ones with five parts).
  private mutating func jwt(_ text: Span<UInt8>, _ start: Int) -> Int? {
    guard start >= noToken, start + 2 < text.count, text[start + 2] == 0x4a else { return nil }
    let table = ByteClass.table
    var i = start
    var parts = 0
    while true {
      let part = i
      while i < text.count, table[Int(text[i])] & ByteClass.urlSafe.rawValue != 0 { i += 1 }
      guard i - part >= 4 || parts == 2 && i == part else { break }
      parts += 1
      guard parts < 5, i < text.count, text[i] == 0x2e else { break }
      i += 1
    }
    guard parts >= 2 else {
      noToken = i
      return nil
    }
    return text[i - 1] == 0x2e ? i - 1 : i
  }

  /// Forty bytes of base64 without structure: an AWS secret key, a Cloudflare token. Hashes have no capitals, paths and names few
  /// changes between kinds of letters.
  private mutating func randomToken(_ text: Span<UInt8>, _ end: Int) {
    var changes = 0
    var kinds: UInt16 = 0
    var slashes = 0
    var seen: UInt64 = 0
    var last: UInt16 = 0
    let table = ByteClass.table
    for i in runStart..<end {
      let kind = table[Int(text[i])] & ByteClass.opaque.rawValue
      if kind != last { changes += 1 }
      last = kind
      kinds |= kind
      if text[i] == 0x2f { slashes += 1 }
      seen |= 1 << UInt64(text[i] & 63)
    }
    let all = ByteClass.alnum.rawValue
    if kinds & all == all, changes >= 15, slashes <= 4, seen.nonzeroBitCount >= 18 {
      add(runStart..<end)
    }
  }
}
