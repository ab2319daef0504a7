import NIOCore

/// How far an engine came with its input.
enum CodingStatus {
  /// All input is used.
  case more
  /// The coding's end was seen; input may be left.
  case finished
  /// The input is not this coding.
  case broken
  /// There is no room for more output.
  case full
}

/// One coding of one body: its engine, and what is the same for all of them (`ContentDecoder`'s theory).
final class CodingLayer {
  /// A body may grow by more than this (Suricata stops at the same ratio; deflate can't reach it) only while it is small.
  private static let ratioLimit = 2048
  private static let smallLimit = 8 << 20
  /// Longest beginning that may turn out not to be coded (a gzip header with names is far shorter).
  private static let holdLimit = 64 << 10

  private(set) var failed = false
  private(set) var finished = false
  private(set) var isIdentity = false
  private(set) var isLimited = false
  private(set) var undecoded = 0
  private var engine: CodingEngine
  private var held: ByteBuffer? = ByteBuffer()
  private var consumed = 0
  private var produced = 0

  init(_ coding: ContentCoding) { engine = CodingEngine(coding) }

  func decode(_ bytes: ByteBuffer) -> ByteBuffer {
    guard !isIdentity, bytes.readableBytes > 0 else { return bytes }
    guard !failed, !isLimited else {
      undecoded += bytes.readableBytes
      return ByteBuffer()
    }
    if finished {
      guard engine.begins(bytes) else {
        undecoded += bytes.readableBytes
        return ByteBuffer()
      }
      finished = false
    }
    held?.writeImmutableBuffer(bytes)
    var out = ByteBuffer()
    var status = run(bytes, into: &out)
    while status == .broken, produced == 0, let held, let other = engine.alternative {
      engine = other
      consumed = 0
      undecoded = 0
      status = run(held, into: &out)
    }
    if status == .broken, produced == 0 || engine.isGuess, let held {
      isIdentity = true
      undecoded = 0
      return held
    }
    if status == .broken { failed = true }
    if produced > 0 || (held?.readableBytes ?? 0) > CodingLayer.holdLimit { held = nil }
    return out
  }

  /// Decodes one input; what is left of it counts as undecoded.
  private func run(_ bytes: ByteBuffer, into out: inout ByteBuffer) -> CodingStatus {
    var rest = bytes
    var status = CodingStatus.more
    while rest.readableBytes > 0 || status == .full {
      let grown = max(CodingLayer.smallLimit, consumed * CodingLayer.ratioLimit)
      let room = min(ContentDecoder.limit, grown) - produced
      guard room > 0 else {
        isLimited = true
        break
      }
      let (before, size) = (rest.readableBytes, out.readableBytes)
      status = engine.run(&rest, into: &out, room: min(room, CodingLayer.pieceSize))
      consumed += before - rest.readableBytes
      produced += out.readableBytes - size
      if status == .broken { break }
      finished = status == .finished
      if finished {
        guard rest.readableBytes > 0, engine.begins(rest) else { break }
        finished = false
      }
    }
    undecoded += rest.readableBytes
    return status
  }

  private static let pieceSize = 64 << 10
}

/// The libraries behind the codings.
private enum CodingEngine {
  case inflate(InflateEngine)
  case brotli(BrotliEngine)
  case zstd(ZstdEngine)

  init(_ coding: ContentCoding) {
    self =
      switch coding {
      case .gzip: .inflate(InflateEngine(.gzip))
      case .deflate: .inflate(InflateEngine(.zlib))
      case .br: .brotli(BrotliEngine())
      case .zstd: .zstd(ZstdEngine())
      }
  }

  /// True for codings without a signature: text may look like them for a while.
  var isGuess: Bool {
    switch self {
    case .inflate(let engine): engine.framing == .raw
    case .brotli: true
    case .zstd: false
    }
  }

  /// Another reading of the same label, for input that this one can't read from its start.
  var alternative: CodingEngine? {
    guard case .inflate(let engine) = self, engine.framing == .zlib else { return nil }
    return .inflate(InflateEngine(.raw))
  }

  /// Decodes from `input` until it is used up, `room` bytes came out, or the coding ends.
  func run(_ input: inout ByteBuffer, into out: inout ByteBuffer, room: Int) -> CodingStatus {
    switch self {
    case .inflate(let engine): engine.run(&input, into: &out, room: room)
    case .brotli(let engine): engine.run(&input, into: &out, room: room)
    case .zstd(let engine): engine.run(&input, into: &out, room: room)
    }
  }

  /// Whether input behind the end begins another member or frame; the engine is made ready for it.
  func begins(_ input: ByteBuffer) -> Bool {
    switch self {
    case .inflate(let engine): engine.begins(input)
    case .brotli: false
    case .zstd(let engine): engine.begins(input)
    }
  }
}
