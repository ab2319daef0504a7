import Basics
import NIOCore
import TestKit
import Testing
import Wire

/// Small captures of every way to protect records.
private let names = [
  "tls13", "tls13-hello-retry", "tls13-resumed", "tls13-key-update", "tls13-early-data",
  "tls13-early-data-refused", "tls12-session-id", "tls12-ticket", "tls12-renegotiation", "tls10",
  "tls10-mac-first", "tls11", "tls11-mac-first", "tls12-rsa-aes128-gcm-sha256",
  "tls12-rsa-aes256-sha256", "tls12-ecdhe-ecdsa-aes128-gcm-sha256",
  "tls12-ecdhe-ecdsa-aes256-gcm-sha384", "tls12-ecdhe-ecdsa-chacha20-poly1305",
  "tls12-ecdhe-ecdsa-aes128-sha", "tls12-ecdhe-ecdsa-aes128-sha256-mac-first",
  "tls12-ecdhe-ecdsa-aes256-sha384", "tls12-ecdhe-ecdsa-aes256-sha384-mac-first",
  "tls12-ecdhe-ecdsa-aes128-ccm8", "tls12-ecdhe-ecdsa-aes256-ccm",
  "suite-tls_aes_256_gcm_sha384", "suite-tls_chacha20_poly1305_sha256",
  "suite-tls_aes_128_ccm_sha256",
]

struct `TLS decoder` {
  @Test(arguments: names) func `decrypts every suite and case`(name: String) throws {
    let capture = try CapturedTLS(name)
    let decoded = DecodedTLS(capture.segments, log: capture.log)
    let asked = String(decoding: decoded.plain[.c2s] ?? [], as: UTF8.self)
    let answered = String(decoding: decoded.plain[.s2c] ?? [], as: UTF8.self)
    #expect(asked.hasPrefix("GET /line/") || asked.hasPrefix("POST /json/"))
    #expect(answered.hasPrefix("HTTP/1.1 200 OK"))
    #expect(decoded.lost == (name == "tls13-early-data-refused" ? ["tls.early_data": 44] : [:]))
    #expect(decoded.gaps == [.c2s: [], .s2c: []])
    #expect(decoded.resynced == 0)
    #expect(decoded.balances)
    #expect(decoded.facts.serverName == "mcp.example")
    #expect(decoded.facts.renegotiations == (name == "tls12-renegotiation" ? 1 : 0))
  }

  @Test(arguments: names) func `gives the same however it is cut`(name: String) throws {
    let capture = try CapturedTLS(name)
    let whole = DecodedTLS(capture.segments, log: capture.log)
    let seed = SeededGenerator.freshSeed("cut \(name)")
    var generator = SeededGenerator(seed: seed)
    for round in 0..<3 {
      let pieces = capture.segments.flatMap { segment in
        (round == 0
          ? Rechunking.bytewise(segment.bytes)
          : Rechunking.random(segment.bytes, using: &generator)).map {
            Segment(
              direction: segment.direction, bytes: Array($0.readableBytesView), at: segment.at)
          }
      }
      let cut = DecodedTLS(pieces, log: capture.log)
      #expect(cut.plain == whole.plain)
      #expect(cut.ends == whole.ends)
      #expect(cut.parts.map(\.at) == whole.parts.map(\.at))
      #expect(cut.balances)
    }
  }

  @Test func `gives the same at every split of a direction`() throws {
    let capture = try CapturedTLS("tls13-key-update")
    let whole = DecodedTLS(capture.segments, log: capture.log)
    let asked = capture.stream(.c2s)
    let answered = capture.stream(.s2c)
    let at = Timestamp(nanoseconds: 1)
    for split in stride(from: 1, to: asked.count, by: 3) {
      let pieces = [
        Segment(direction: .c2s, bytes: Array(asked[..<split]), at: at),
        Segment(direction: .s2c, bytes: answered, at: at),
        Segment(direction: .c2s, bytes: Array(asked[split...]), at: at),
      ]
      #expect(DecodedTLS(pieces, log: capture.log).plain == whole.plain)
    }
  }

  @Test(arguments: ["tls13", "tls12-ticket", "tls13-hello-retry", "tls13-early-data"])
  func `gives the same whichever side was captured first`(name: String) throws {
    let capture = try CapturedTLS(name)
    let whole = DecodedTLS(capture.segments, log: capture.log)
    let up = capture.segments.filter { $0.direction == .c2s }
    let down = capture.segments.filter { $0.direction == .s2c }
    for order in [up + down, down + up] {
      let decoded = DecodedTLS(order, log: capture.log)
      #expect(decoded.plain == whole.plain)
      #expect(decoded.balances)
    }
  }

  @Test func `stamps plaintext with the segment that completes its record`() throws {
    let capture = try CapturedTLS("tls13")
    var offset = 0
    var completions: [Timestamp] = []
    let records = capture.records(.s2c)
    for segment in capture.segments where segment.direction == .s2c {
      offset += segment.bytes.count
      while completions.count < records.count, records[completions.count].upperBound <= offset {
        completions.append(segment.at)
      }
    }
    let decoded = DecodedTLS(capture.segments, log: capture.log)
    let times = decoded.parts.filter { $0.direction == .s2c }.map(\.at)
    #expect(times.count > 5)
    // The last record is the close_notify.
    #expect(times == Array(completions.suffix(times.count + 1).dropLast()))
  }

  @Test(arguments: names) func `counts everything without keys, and tells what hellos say`(
    name: String
  ) throws {
    let capture = try CapturedTLS(name)
    for log in [nil, TLSKeyLog(), TLSKeyLog(mayGrow: true)] {
      let decoded = DecodedTLS(capture.segments, log: log)
      #expect(decoded.plain == [.c2s: [], .s2c: []])
      #expect(Set(decoded.lost.keys).isSubset(of: ["tls.undecryptable"]))
      #expect(decoded.lost["tls.undecryptable"] ?? 0 > 300)
      #expect(decoded.balances)
      #expect(decoded.facts.serverName == "mcp.example")
      #expect(decoded.facts.version != nil)
    }
  }

  @Test func `waits for keys that are logged later`() throws {
    let capture = try CapturedTLS("tls12-ecdhe-ecdsa-aes128-gcm-sha256")
    let log = TLSKeyLog(mayGrow: true)
    let whole = DecodedTLS(capture.segments, log: capture.log)
    let late = DecodedTLS(capture.segments.map { .bytes($0) }, log: log) {
      log.append(capture.keys)
    }
    #expect(late.plain == whole.plain)
    #expect(late.parts.map(\.at) == whole.parts.map(\.at))
    #expect(late.lost == [:])
  }

  @Test func `takes the ClientHello of SSL 2 for one`() throws {
    let name = "tls12-ecdhe-ecdsa-aes128-gcm-sha256"
    var capture = try CapturedTLS(name)
    let whole = DecodedTLS(capture.segments, log: capture.log)
    let hello = capture.segments[0].bytes
    // Version, lengths of suites, session and challenge; a suite; the challenge, which is the random.
    let body = [1, 3, 3, 0, 3, 0, 0, 0, 32, 0, 0xc0, 0x2b] + hello[11..<43]
    capture.segments[0].bytes = [0x80, UInt8(body.count)] + body
    for segments in [
      capture.segments,
      capture.segments.flatMap { segment in
        segment.bytes.map { Segment(direction: segment.direction, bytes: [$0], at: segment.at) }
      },
    ] {
      let decoded = DecodedTLS(segments, log: capture.log)
      #expect(decoded.plain == whole.plain)
      #expect(decoded.balances)
      #expect(decoded.facts.serverName == nil)
    }
  }

  @Test func `names suites that it can't open`() throws {
    let capture = try CapturedTLS("tls12-ecdhe-ecdsa-camellia128-sha256")
    let decoded = DecodedTLS(capture.segments, log: capture.log)
    let name = "tls.unsupported_cipher[TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256]"
    #expect(Array(decoded.lost.keys) == [name])
    #expect(decoded.balances)
  }

  @Test func `opens drafts of 1.3 that protect as it does, and names the others`() throws {
    let capture = try CapturedTLS("tls13")
    let whole = DecodedTLS(capture.segments, log: capture.log)
    for (draft, isOpened) in [(28, true), (23, false)] {
      // The version chosen, in the extension of the ServerHello (RFC 8446 §4.2.1).
      let chosen: [UInt8] = [0, 0x2b, 0, 2, 3, 4]
      var isFound = false
      let segments = capture.segments.map { segment in
        var segment = segment
        guard segment.direction == .s2c, !isFound,
          let at = segment.bytes.indices.first(where: { segment.bytes[$0...].starts(with: chosen) })
        else { return segment }
        isFound = true
        segment.bytes.replaceSubrange(at + 4..<at + 6, with: [0x7f, UInt8(draft)])
        return segment
      }
      let decoded = DecodedTLS(segments, log: capture.log)
      #expect(isFound)
      #expect(decoded.facts.version?.name == "1.3 draft \(draft)")
      #expect(decoded.plain == (isOpened ? whole.plain : [.c2s: [], .s2c: []]))
      #expect(
        Array(decoded.lost.keys)
          == (isOpened ? [] : ["tls.unsupported_version[1.3 draft \(draft)]"]))
      #expect(decoded.balances)
    }
  }

  @Test func `reads the ServerHello of drafts without a session id`() throws {
    let capture = try CapturedTLS("tls13")
    let hello =
      [0x7f, 18] + [UInt8](repeating: 9, count: 32) + [0x13, 1] + [0, 0]
    let record: [UInt8] =
      [22, 3, 1, 0, UInt8(hello.count + 4), 2, 0, 0, UInt8(hello.count)] + hello
    let data: [UInt8] = [23, 3, 1, 0, 20] + [UInt8](repeating: 1, count: 20)
    var answer = capture.segments[0]
    answer.direction = .s2c
    answer.bytes = record + data
    let decoded = DecodedTLS([capture.segments[0], answer], log: capture.log)
    #expect(decoded.lost == ["tls.unsupported_version[1.3 draft 18]": 25])
    #expect(decoded.balances)
  }

  @Test func `gives a direction up that does not open`() throws {
    let capture = try CapturedTLS("tls13")
    let log = TLSKeyLog()
    let wrong = String(buffer: capture.keys).split(separator: "\n").map { line in
      line.hasPrefix("#") ? line : line.dropLast(2) + "00"
    }
    log.append(ByteBuffer(string: wrong.joined(separator: "\n")))
    let decoded = DecodedTLS(capture.segments, log: log)
    #expect(decoded.plain == [.c2s: [], .s2c: []])
    #expect(Array(decoded.lost.keys) == ["tls.decrypt_failed"])
    #expect(decoded.balances)
  }

  @Test func `counts what lacks its hellos`() throws {
    let capture = try CapturedTLS("tls13")
    let rest = capture.segments.dropFirst(6).map { TLSInput.bytes($0) }
    let decoded = DecodedTLS(rest, log: capture.log, fromStart: false)
    #expect(decoded.plain == [.c2s: [], .s2c: []])
    #expect(decoded.lost["tls.no_handshake"] ?? 0 > 40_000)
    #expect(decoded.balances)
  }
}
