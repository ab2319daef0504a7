import Basics

/// The parts of a plain text that may be values: what stands between blanks, quotes, brackets and commas.
enum TextTokens {
  /// Most bytes of one text that are looked at.
  static let textLimit = 64 << 10

  /// Calls `body` for each token, and for what `/`, `=`, `:`, `#`, `?` and `&` part inside it.
  ///
  /// So many bytes of the text are known to be letters and blanks: there is none that ends in them.
  static func forEach(_ text: Span<UInt8>, behind words: Int, _ body: (Range<Int>) -> Void) {
    let end = min(text.count, textLimit)
    // All tokens before `done` were told.
    var (done, i) = (0, words)
    while true {
      // What has neither a digit nor a mark is a word: tokens are found by these.
      i = ByteScan.endOfWords(text, i)
      guard i < end else { return }
      guard isPart(text[i]) else {
        i += 1
        continue
      }
      var start = i
      while start > done, isPart(text[start - 1]) { start -= 1 }
      var isDivided = false
      while i < end, isPart(text[i]) {
        if isDivider(text[i]) { isDivided = true }
        i += 1
      }
      done = i
      let token = trimmed(text, start..<i)
      guard token.count >= 4 else { continue }
      body(token)
      if isDivided { divide(text, token, body) }
    }
  }

  private static func divide(
    _ text: Span<UInt8>, _ token: Range<Int>, _ body: (Range<Int>) -> Void
  ) {
    var i = token.lowerBound
    while i < token.upperBound {
      while i < token.upperBound, isDivider(text[i]) { i += 1 }
      let start = i
      while i < token.upperBound, !isDivider(text[i]) { i += 1 }
      let part = trimmed(text, start..<i)
      if part.count >= 4, part != token { body(part) }
    }
  }

  /// Without the punctuation around it.
  private static func trimmed(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (from, to) = (range.lowerBound, range.upperBound)
    while from < to, isPunctuation(text[from]), text[from] != 0x2f { from += 1 }
    // A `=` at the end pads Base64.
    while to > from, isPunctuation(text[to - 1]), text[to - 1] != 0x3d { to -= 1 }
    return from..<to
  }

  /// Letters, digits, and the marks that ids, paths, addresses and URLs are made with.
  private static func isPart(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x2d, 0x5f, 0x2e, 0x2f, 0x3a, 0x40, 0x2b, 0x3d, 0x23, 0x25, 0x7e, 0x3f, 0x26: true
    default: false
    }
  }

  private static func isDivider(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2f, 0x3d, 0x3a, 0x23, 0x3f, 0x26: true
    default: false
    }
  }

  private static func isPunctuation(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2e, 0x2f, 0x3a, 0x2d, 0x3d, 0x23, 0x3f, 0x2b, 0x26, 0x5f, 0x7e: true
    default: false
    }
  }
}
