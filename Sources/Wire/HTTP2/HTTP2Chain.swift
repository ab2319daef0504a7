import NIOCore

/// Where frames begin in bytes whose beginning is not known.
///
/// Theory: a frame header alone is weak evidence (zeros look like one); three in a row, each where the one before says, are
/// not there by chance. Nor is a chain that begins and ends exactly with what one segment brought.
enum HTTP2Chain {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private static let wanted = 3

  enum Verdict {
    case yes
    case no
    case undecided
  }

  /// Finds the first place that may begin a chain; not found, it is where the search must go on with more bytes.
  static func find(
    in bytes: ByteBuffer, atChunkStart: Bool, _ isOver: Bool
  ) -> (offset: Int, isFound: Bool) {
    var offset = 0
    while offset < bytes.readableBytes {
      switch judge(bytes, offset, isSegment: atChunkStart && offset == 0) {
      case .yes: return (offset, true)
      case .undecided where !isOver: return (offset, false)
      case .no, .undecided: offset += 1
      }
    }
    return (offset, false)
  }

  /// Whether a server's first bytes are its first SETTINGS (RFC 9113 §3.4), which are short and no acknowledgement.
  static func serverStart(_ bytes: ByteBuffer) -> Verdict {
    let view = bytes.readableBytesView.prefix(HTTP2FrameHeader.length)
    for (index, byte) in view.enumerated() {
      switch index {
      case 2 where byte.isMultiple(of: 6), 3 where byte == HTTP2FrameHeader.Kind.settings.rawValue:
        continue
      case 2, 3: return .no
      default: if byte != 0 { return .no }
      }
    }
    return view.count == HTTP2FrameHeader.length ? .yes : .undecided
  }

  /// Whether bytes from a segment's start are a server's first, or begin with frames when they are from `midstream`.
  static func start(_ bytes: ByteBuffer, midstream: Bool) -> Verdict {
    let first = serverStart(bytes)
    guard first == .no, midstream else { return first }
    return judge(bytes, 0, isSegment: true)
  }

  private static func judge(_ bytes: ByteBuffer, _ offset: Int, isSegment: Bool) -> Verdict {
    var at = bytes.readerIndex + offset
    var seen = 0
    while seen < wanted {
      if at == bytes.writerIndex, isSegment, seen > 0 { return .yes }
      guard let header = HTTP2FrameHeader(bytes, at: at) else {
        // Plausible lengths leave the first byte zero.
        let first = bytes.getInteger(at: at, as: UInt8.self) ?? 0
        return first == 0 ? .undecided : .no
      }
      guard header.isPlausible else { return .no }
      seen += 1
      at += header.total
    }
    return .yes
  }
}
