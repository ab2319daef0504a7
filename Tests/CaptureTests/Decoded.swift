import Basics
import Capture
import NIOCore
import Packets
import TestKit
import Testing

/// What a decoder made of the bytes of a capture.
struct Decoded: Equatable {
  struct Frame: Equatable {
    var bytes: [UInt8]
    var length: Int
    var link: LinkType
    var at: Int64

    init(_ bytes: [UInt8], length: Int? = nil, link: LinkType = .ethernet, at: Int64) {
      self.bytes = bytes
      self.length = length ?? bytes.count
      self.link = link
      self.at = at
    }

    init(_ frame: CapturedFrame) {
      self.init(
        Array(frame.bytes.readableBytesView), length: frame.originalLength, link: frame.linkType,
        at: frame.at.nanoseconds)
    }
  }

  var frames: [Frame] = []
  var secrets: [DecryptionSecrets] = []
  /// Counters by name, without zeros.
  var counters: [String: Int] = [:]
  var error: CaptureFormatError?

  init() {}

  /// Decodes chunks and ends.
  init(_ chunks: [ByteBuffer]) {
    var decoder = CaptureDecoder()
    do throws(CaptureFormatError) {
      for chunk in chunks {
        decoder.append(chunk)
        while let item = try decoder.next() { take(item) }
      }
      try decoder.finish()
    } catch {
      self.error = error
    }
    note(decoder.counters)
  }

  mutating func take(_ item: CaptureItem) {
    switch item {
    case .frame(let frame): frames.append(Frame(frame))
    case .secrets(let found): secrets.append(found)
    case .waiting: Issue.record("a decoder waits for nothing")
    }
  }

  mutating func note(_ counters: CaptureCounters) {
    self.counters = Dictionary(uniqueKeysWithValues: counters.named.map { ($0.name, $0.count) })
  }

  /// Decodes bytes whole, byte by byte, at every split; all must agree.
  static func everyWay(_ bytes: ByteBuffer) -> Decoded {
    let whole = Decoded([bytes])
    let array = Array(bytes.readableBytesView)
    #expect(Decoded(Rechunking.bytewise(array)) == whole)
    for parts in Rechunking.everySplit(array) { #expect(Decoded(parts) == whole) }
    return whole
  }
}
