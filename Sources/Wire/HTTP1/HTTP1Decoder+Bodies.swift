import Basics
import NIOCore

/// Bodies and the framing of chunks.
extension HTTP1Decoder {
  mutating func takeBody(_ limit: Int) -> (event: Event, count: Int)? {
    guard input.count > 0 else { return nil }
    let count = min(limit, input.chunkCount)
    let (bytes, at) = input.take(count)
    explained += count
    lastAt = max(lastAt, at)
    return (.body(bytes, at: at), count)
  }

  /// Length of the next line with its LF, when that is there.
  private var lineLength: Int? {
    let lf = ByteScan.firstIndex(of: 0x0a, in: input.span, from: 0)
    guard let lf, lf < HTTP1Decoder.chunkLineLimit else { return nil }
    return lf + 1
  }

  /// Steps over a line that was looked at.
  private mutating func skipLine(_ length: Int) {
    lastAt = max(lastAt, input.skip(length))
    explained += length
  }

  /// What a line of chunk framing says.
  private enum ChunkLine {
    case empty
    case size(Int)
    case other
  }

  private func chunkLine(_ length: Int) -> ChunkLine {
    let line = input.span.extracting(0..<length)
    if ChunkSize.isEmptyLine(line) { return .empty }
    return ChunkSize.read(line).map { .size($0) } ?? .other
  }

  mutating func readChunkSize(isFirst: Bool) -> Event? {
    while let length = lineLength {
      switch chunkLine(length) {
      case .empty: skipLine(length)
      case .size(let size):
        skipLine(length)
        phase = size == 0 ? .trailers : .chunkData(size)
        return size == 0 ? readTrailers() : takeChunk(size)
      case .other: return isFirst ? readUnchunked() : loseFraming()
      }
    }
    if isFirst, input.count >= HTTP1Decoder.chunkLineLimit || (over != nil && !mayBeSize) {
      return readUnchunked()
    }
    return lacksLine(complete: false)
  }

  /// Whether what is there of a line could be the beginning of a chunk size.
  private var mayBeSize: Bool {
    ChunkSize.isEmptyLine(input.span) || ChunkSize.read(input.span) != nil
  }

  private mutating func takeChunk(_ size: Int) -> Event? {
    guard let event = takeBody(size) else { return cutOff(complete: false) }
    phase = size == event.count ? .chunkEnd : .chunkData(size - event.count)
    return event.event
  }

  /// The body is not chunked although its head says so: it is what the other fields say.
  private mutating func readUnchunked() -> Event? {
    guard unchunked != .none else { return loseFraming() }
    phase = Phase(unchunked)
    return step()
  }

  mutating func readChunkEnd() -> Event? {
    guard let length = lineLength else { return lacksLine(complete: false) }
    let isEmpty = ChunkSize.isEmptyLine(input.span.extracting(0..<length))
    skipLine(length)
    guard isEmpty else { return loseFraming() }
    phase = .chunkSize(isFirst: false)
    return readChunkSize(isFirst: false)
  }

  mutating func readTrailers() -> Event? {
    while true {
      // A next message without the empty line before it: some servers forget that.
      if isNextMessage {
        phase = .start
        return .end(complete: true, at: lastAt)
      }
      guard let length = lineLength else {
        // The last chunk was there: a missing final line end loses nothing.
        return lacksLine(complete: input.bytes.readableBytesView.allSatisfy { $0 == 0x0d })
      }
      if ChunkSize.isEmptyLine(input.span.extracting(0..<length)) {
        skipLine(length)
        phase = .start
        return .end(complete: true, at: lastAt)
      }
      let fields = HTTP1Head.fields(input.span.extracting(0..<length), from: 0)
      skipLine(length)
      if !fields.isEmpty { return .trailers(fields) }
    }
  }

  private var isNextMessage: Bool {
    let span = input.span
    guard StartLine.isPlausible(span, request: role == .request),
      let lf = ByteScan.firstIndex(of: 0x0a, in: span, from: 0)
    else { return false }
    return HTTP1Head.beginsWithStartLine(span.extracting(0...lf), request: role == .request)
  }

  // MARK: Framing that is lost

  /// Gives what is data for sure, up to the next chunk boundary or message.
  mutating func searchChunk(isEdge: Bool) -> Event? {
    guard input.count > 0, input.count >= needed || isCutOff else {
      return input.count == 0 ? cutOff(complete: false) : nil
    }
    let bytes = input.bytes
    let span = bytes.readableSpan
    let message = MessageSearch.find(
      span, request: role == .request, isChunkStart: input.isAtChunkStart)
    let chunk = ChunkSearch.find(span, isEdge: isEdge, isOver: isCutOff)
    var data = span.count
    var start: Int?
    switch message {
    case .start(let index):
      start = index
      data = index
    case .none(let index): if !isCutOff { data = index }
    }
    switch chunk {
    case .boundary(let line) where line <= data: return cross(to: line, span)
    case .open(let line, let needs) where line <= data:
      needed = needs
      data = max(0, line - 2)
    case .none(let index) where start == nil: if !isCutOff { data = min(data, index) }
    case .none, .open, .boundary: break
    }
    if data == 0, start == 0 {
      phase = .resync(.afterGap)
      return .end(complete: false, at: lastAt)
    }
    guard data > 0 else { return nil }
    phase = .chunkSearch(isEdge: false)
    needed = max(0, needed - data)
    return takeBody(data)?.event
  }

  /// The rest of a chunk ends before the size line at `line`.
  private mutating func cross(to line: Int, _ bytes: Span<UInt8>) -> Event? {
    var end = line
    if end > 0, bytes[end - 1] == 0x0a { end -= 1 }
    if end > 0, bytes[end - 1] == 0x0d { end -= 1 }
    needed = 0
    if line == 0 {
      phase = .chunkSize(isFirst: false)
      return readChunkSize(isFirst: false)
    }
    if end == 0 {
      phase = .chunkEnd
      return readChunkEnd()
    }
    return takeChunk(end)
  }

  /// A line of chunk framing is not there: not yet, never, or it is too long to be one.
  private mutating func lacksLine(complete: Bool) -> Event? {
    if input.count >= HTTP1Decoder.chunkLineLimit { return loseFraming() }
    guard over != nil else { return nil }
    let (rest, at) = input.take(input.count)
    explained += rest.readableBytes
    lastAt = max(lastAt, at)
    return cutOff(complete: complete)
  }

  /// The direction is over in the middle of a message.
  mutating func cutOff(complete: Bool) -> Event? {
    guard let over else { return nil }
    phase = .start
    // A response was waited for until then; of a request nothing was sent behind its last byte.
    return .end(complete: complete, at: role == .request ? lastAt : max(over.at, lastAt))
  }

  /// The message under way can't be followed any further.
  private mutating func loseFraming() -> Event {
    phase = .resync(.malformed)
    return .end(complete: false, at: lastAt)
  }
}
