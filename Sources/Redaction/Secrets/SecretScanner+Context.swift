import Basics

/// What is a secret because of what stands around it.
extension SecretScanner {
  /// Looks at what a mark may be in the middle of; returns where to go on.
  mutating func atMark(_ text: Span<UInt8>, _ i: Int) -> Int {
    switch text[i] {
    case 0x2d:
      if let end = pem(text, i) { return end }
      if let token = option(text, i) { return add(token) }
      if let token = numbered(text, i) { return add(token) }
    case 0x3a:
      if let token = url(text, i) ?? bot(text, i) ?? assigned(text, i) { return add(token) }
    case 0x3d, 0x3e: if let token = assigned(text, i) { return add(token) }
    case 0x2e: if let token = dotted(text, i) { return add(token) }
    case 0x7e: if let token = azureSecret(text, i) { return add(token) }
    default: break
    }
    return i + 1
  }

  /// The private key behind `-----BEGIN … PRIVATE KEY…-----`, up to its end mark.
  private mutating func pem(_ text: Span<UInt8>, _ i: Int) -> Int? {
    guard matches(text, i, "-----BEGIN ") else { return nil }
    var k = i + 11
    var isPrivate = false
    while k < text.count, k < i + 80, text[k] != 0x2d {
      if matches(text, k, "PRIVATE KEY") { isPrivate = true }
      k += 1
    }
    guard isPrivate, matches(text, k, "-----") else { return nil }
    let start = k + 5
    var end = start
    while let dash = ByteScan.firstIndex(of: 0x2d, in: text, from: end) {
      if matches(text, dash, "-----END") {
        add(start..<dash)
        return dash + 8
      }
      end = dash + 1
    }
    return add(start..<text.count)
  }

  /// `--password value`: names of options have no `=` behind them everywhere.
  private func option(_ text: Span<UInt8>, _ i: Int) -> Range<Int>? {
    guard i + 2 < text.count, text[i + 1] == 0x2d, i == 0 || text[i - 1] <= 0x20 else { return nil }
    var k = i + 2
    while k < text.count, k - i < 50, isName(text[k]) { k += 1 }
    guard k + 1 < text.count, text[k] == 0x20, text[k + 1] > 0x20 else { return nil }
    guard CredentialName(text.extracting(i + 2..<k)) != .none else { return nil }
    return value(text, from: k, .certain, isBare: true)
  }

  /// The value behind `name=`, `name: `, `"name": "`, `<name>`.
  private func assigned(_ text: Span<UInt8>, _ i: Int) -> Range<Int>? {
    var end = i
    // Between name and mark: blanks, a quote with its backslash, a bracket.
    while end > 0, i - end < 4, isAround(text[end - 1]) { end -= 1 }
    var start = end
    while start > 0, end - start <= CredentialName.limit, isName(text[start - 1]) { start -= 1 }
    guard end - start >= 3, end - start <= CredentialName.limit else { return nil }
    // An arrow is an assignment, the end of an element another's beginning: only an opening one has a name in front.
    if text[i] == 0x3e, start == 0 || text[start - 1] != 0x3c { return nil }
    var name = CredentialName(text.extracting(start..<end))
    if name == .none, text[i] == 0x3d, start > 0,
      text[start - 1] == 0x3f || text[start - 1] == 0x26,
      Redactor.parameterNames.contains(ByteScan.string(text, start..<end).lowercased())
    {
      name = .likely
    }
    guard name != .none else { return nil }
    return value(text, from: i + 1, name, isBare: text[i] == 0x3a)
  }

  /// The value that begins behind blanks and a quote; `isBare` when it may be prose where there is no quote.
  private func value(
    _ text: Span<UInt8>, from: Int, _ name: CredentialName, isBare: Bool
  ) -> Range<Int>? {
    var start = from
    while start < text.count, start - from < 4, text[start] == 0x20 || text[start] == 0x09 {
      start += 1
    }
    if start < text.count, text[start] == 0x3e { start += 1 }  // =>
    while start < text.count, text[start] == 0x20 { start += 1 }
    var quote: UInt8?
    while start < text.count, text[start] == 0x5c { start += 1 }
    if start < text.count, isQuote(text[start]) {
      quote = text[start]
      start += 1
    }
    var end = start
    let table = ByteClass.table
    if let quote {
      while end < text.count, text[end] != quote, text[end] != 0x5c, end - start < 4096 { end += 1 }
    } else {
      while end < text.count, end - start < 4096,
        table[Int(text[end])] & ByteClass.end.rawValue == 0
      {
        end += 1
      }
      while end > start, text[end - 1] == 0x2e || text[end - 1] == 0x3a { end -= 1 }
    }
    // What is called or scoped is code.
    if quote == nil, end < text.count, text[end] == 0x28 || text[end] == 0x5b { return nil }
    if start < end, text[start] == 0x3a { return nil }
    let begin = Credential.behindScheme(text, start, quote == nil ? text.count : end)
    if begin > start {
      start = begin
      if quote == nil {
        end = start
        while end < text.count, table[Int(text[end])] & ByteClass.end.rawValue == 0 { end += 1 }
      }
    }
    guard start < end,
      name.isCredential(text.extracting(start..<end), isBare: isBare && quote == nil)
    else { return nil }
    return start..<end
  }

  /// The password of `scheme://user:password@host`, or all in front of the `@` when that is long.
  private func url(_ text: Span<UInt8>, _ i: Int) -> Range<Int>? {
    guard i > 1, i + 3 < text.count, text[i + 1] == 0x2f, text[i + 2] == 0x2f,
      (text[i - 1] | 0x20) &- 0x61 < 26 || text[i - 1] &- 0x30 < 10
    else { return nil }
    let start = i + 3
    var at: Int?
    var colon: Int?
    var k = start
    let table = ByteClass.table
    while k < text.count, k - start < 1024 {
      let byte = text[k]
      if byte == 0x2f || byte == 0x3f || byte == 0x23 { break }
      // Passwords have commas and brackets too; white space and quotes end a URL.
      if byte <= 0x20 || isQuote(byte) || byte == 0x5c || byte == 0x3c || byte == 0x3e { break }
      if byte == 0x40 { at = k }
      if byte == 0x3a, colon == nil { colon = k }
      k += 1
    }
    guard let at else { return nil }
    if let colon, colon < at { return colon + 1..<at }
    var digits = 0
    for i in start..<at where table[Int(text[i])] & ByteClass.digit.rawValue != 0 { digits += 1 }
    return at - start >= 16 && digits > 0 ? start..<at : nil
  }

  /// A Telegram bot: its number, a colon, 35 bytes.
  private func bot(_ text: Span<UInt8>, _ i: Int) -> Range<Int>? {
    var start = i
    while start > 0, i - start <= 11, text[start - 1] &- 0x30 < 10 { start -= 1 }
    guard (8...10).contains(i - start) else { return nil }
    let end = run(text, i + 1, .urlSafe, most: 36)
    return end - i - 1 == 35 ? start..<end : nil
  }

  /// Mailchimp: 32 hex digits, a dash, the data centre.
  private func numbered(_ text: Span<UInt8>, _ i: Int) -> Range<Int>? {
    guard matches(text, i, "-us"), i >= 32, i + 3 < text.count, text[i + 3] &- 0x30 < 10 else {
      return nil
    }
    for k in i - 32..<i
    where ByteClass.table[Int(text[k])] & ByteClass.hex.rawValue == 0 { return nil }
    return i - 32..<run(text, i + 3, .digit, most: 3)
  }

  /// A Discord bot (`id.time.code`) or a Terraform token (`id.atlasv1.code`).
  private func dotted(_ text: Span<UInt8>, _ i: Int) -> Range<Int>? {
    guard i >= 14, i + 10 < text.count else { return nil }
    if matches(text, i, ".atlasv1.") {
      let start = i - 14
      let end = run(text, i + 9, .opaque, most: 128)
      return end - i - 9 >= 40 && run(text, start, .alnum, most: 14) == i ? start..<end : nil
    }
    let second = run(text, i + 1, .urlSafe, most: 8)
    guard second - i - 1 == 6 || second - i - 1 == 7, second < text.count, text[second] == 0x2e
    else { return nil }
    let end = run(text, second + 1, .urlSafe, most: 64)
    guard end - second - 1 >= 27 else { return nil }
    var start = i
    let table = ByteClass.table
    while start > 0, i - start <= 32,
      table[Int(text[start - 1])] & ByteClass.urlSafe.rawValue != 0
    {
      start -= 1
    }
    guard i - start >= 23, i - start <= 32, text[start] &- 0x4d < 3 else { return nil }
    return start..<end
  }

  /// A client secret of Entra ID: `Q~` behind three bytes and a digit.
  private func azureSecret(_ text: Span<UInt8>, _ i: Int) -> Range<Int>? {
    guard i >= 5, text[i - 1] == 0x51, text[i - 2] &- 0x30 < 10 else { return nil }
    let end = run(text, i + 1, [.urlSafe, .dot, .tilde], most: 40)
    return end - i - 1 >= 31 ? i - 5..<end : nil
  }

  /// The token behind `Bearer` and `Basic` in a text.
  func scheme(_ text: Span<UInt8>, _ i: Int) -> Range<Int>? {
    let start = Credential.behindScheme(text, i, text.count)
    guard start > i else { return nil }
    var end = start
    let table = ByteClass.table
    while end < text.count, table[Int(text[end])] & ByteClass.end.rawValue == 0 { end += 1 }
    while end > start, text[end - 1] == 0x2e { end -= 1 }
    let token = text.extracting(start..<end)
    if text[i + 1] | 0x20 == 0x61 {
      return Credential.isBasic(token) ? start..<end : nil
    }
    return CredentialName.likely.isCredential(token) && end - start >= 12 ? start..<end : nil
  }

  // MARK: Bytes

  private func run(_ text: Span<UInt8>, _ start: Int, _ set: ByteClass, most: Int) -> Int {
    let table = ByteClass.table
    var end = start
    while end < text.count, end - start < most, table[Int(text[end])] & set.rawValue != 0 {
      end += 1
    }
    return end
  }

  private func matches(_ text: Span<UInt8>, _ i: Int, _ word: String) -> Bool {
    let bytes = word.utf8Span.span
    guard i + bytes.count <= text.count else { return false }
    for k in bytes.indices where text[i + k] != bytes[k] { return false }
    return true
  }

  private func isName(_ byte: UInt8) -> Bool {
    ByteClass.table[Int(byte)] & (ByteClass.urlSafe.rawValue | ByteClass.dot.rawValue) != 0
  }

  private func isQuote(_ byte: UInt8) -> Bool { byte == 0x22 || byte == 0x27 || byte == 0x60 }

  private func isAround(_ byte: UInt8) -> Bool {
    isQuote(byte) || byte == 0x20 || byte == 0x5c || byte == 0x5d
  }
}
