import Basics

/// Credentials in request targets and URLs.
extension Redactor {
  /// Returns a request target or URL with the credentials in its query, fragment and user information replaced.
  public func target(_ target: String) -> String { parameters(of: target, isEach: false) }

  /// Returns the URL of an `endpoint` event, which is a session's key: all its values are replaced, or else its last segment.
  public func endpoint(_ target: String) -> String {
    guard !target.contains("=") else { return parameters(of: target, isEach: true) }
    guard let slash = target.lastIndex(of: "/") else { return surrogate(target) }
    return target[...slash] + surrogate(String(target[target.index(after: slash)...]))
  }

  /// Replaces the values of parameters by name, wherever they stand: `?a=1&b=2`, `;a=1`, `#a=1`, also in an address that is itself a
  /// value, with its marks encoded.
  private func parameters(of target: String, isEach: Bool) -> String {
    let text = Array(target.utf8)
    var out = text
    userReplaced(&out)
    var i = 0
    while i < text.count {
      guard let begin = Redactor.behindMark(text, i) else {
        i += 1
        continue
      }
      var equals = begin
      while equals < text.count, Redactor.behindMark(text, equals) == nil,
        Redactor.behindEquals(text, equals) == nil
      {
        equals += 1
      }
      guard equals < text.count, let start = Redactor.behindEquals(text, equals) else {
        i = begin
        continue
      }
      // Inside an encoded address its marks end a value; outside they belong to it.
      let isEncoded = start - equals == 3
      var end = start
      while end < text.count, !Redactor.endsValue(text, end, isEncoded: isEncoded) { end += 1 }
      let name = Redactor.decoded(text[begin..<equals]).lowercased()
      if isEach || Redactor.isCredential(name) {
        replaceEncoded(&out, start..<end)
        i = end
      } else {
        // What the value holds may be an address.
        i = start
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func isCredential(_ name: String) -> Bool {
    parameterNames.contains(name) || CredentialName(name) == .certain
      || name.hasSuffix("token") && CredentialName(name) != .none
  }

  /// Where a parameter begins behind the mark at `i`: `?`, `#`, `&`, `;`, `>`, or their encoded forms.
  private static func behindMark(_ text: [UInt8], _ i: Int) -> Int? {
    switch text[i] {
    case 0x3f, 0x23, 0x26, 0x3b, 0x3e: return i + 1
    case 0x25: return encoded(text, i).flatMap { [0x3f, 0x23, 0x26].contains($0) ? i + 3 : nil }
    default: return nil
    }
  }

  private static func behindEquals(_ text: [UInt8], _ i: Int) -> Int? {
    if text[i] == 0x3d { return i + 1 }
    return encoded(text, i) == 0x3d ? i + 3 : nil
  }

  private static func endsValue(_ text: [UInt8], _ i: Int, isEncoded: Bool) -> Bool {
    switch text[i] {
    case 0x23, 0x26, 0x3b, 0x3e, 0x20: return true
    case 0x25:
      guard isEncoded, let byte = encoded(text, i) else { return false }
      return byte == 0x26 || byte == 0x23
    default: return false
    }
  }

  /// The byte that `%XX` at `i` stands for.
  private static func encoded(_ text: [UInt8], _ i: Int) -> UInt8? {
    guard text[i] == 0x25, i + 2 < text.count, let high = JSONScan.hexValue(text[i + 1]),
      let low = JSONScan.hexValue(text[i + 2])
    else { return nil }
    return high << 4 | low
  }

  private static func decoded(_ text: ArraySlice<UInt8>) -> String {
    let text = Array(text)
    var out: [UInt8] = []
    var i = 0
    while i < text.count {
      let byte = encoded(text, i)
      out.append(byte ?? text[i])
      i += byte == nil ? 1 : 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Replaces a value that may have encoded bytes: the surrogate is that of the plain value, each byte encoded where it was.
  private func replaceEncoded(_ out: inout [UInt8], _ range: Range<Int>) {
    var plain: [UInt8] = []
    var places: [Int] = []
    var i = range.lowerBound
    while i < range.upperBound {
      let byte = i + 2 < range.upperBound ? Redactor.encoded(out, i) : nil
      plain.append(byte ?? out[i])
      places.append(i)
      i += byte == nil ? 1 : 3
    }
    places.append(range.upperBound)
    let hexDigits = Array("0123456789ABCDEF".utf8)
    for (k, byte) in Surrogate(key: key).value(plain).enumerated() where byte != plain[k] {
      if places[k + 1] - places[k] == 1 {
        out[places[k]] = byte
      } else {
        out[places[k] + 1] = hexDigits[Int(byte >> 4)]
        out[places[k] + 2] = hexDigits[Int(byte & 15)]
      }
    }
  }

  /// Replaces `user` and `password` of an absolute URL, each by its surrogate.
  private func userReplaced(_ out: inout [UInt8]) {
    guard let colon = out.firstIndex(of: 0x3a), colon + 2 < out.count, out[colon + 1] == 0x2f,
      out[colon + 2] == 0x2f
    else { return }
    let start = colon + 3
    let end = out[start...].firstIndex { $0 == 0x2f || $0 == 0x3f || $0 == 0x23 } ?? out.count
    guard let at = out[start..<end].lastIndex(of: 0x40) else { return }
    if let inner = out[start..<at].firstIndex(of: 0x3a) {
      replaceEncoded(&out, start..<inner)
      replaceEncoded(&out, inner + 1..<at)
    } else {
      replaceEncoded(&out, start..<at)
    }
  }
}
