import Basics
public import NIOCore

/// Heads, and the way back to one.
extension HTTP1Decoder {
  mutating func readHead() -> Event? {
    skipEmptyLines()
    guard input.count > 0 else { return nil }
    if !isStarted {
      guard let isStart = readsStartLine() else {
        if input.count > HTTP1Decoder.headLimit { return giveUp(.headTooLong) }
        guard let over else { return nil }
        return cutHead(over.at) ?? giveUp(isLast ? .trailingGarbage : .incompleteHead)
      }
      guard isStart else { return giveUp(isLast ? .trailingGarbage : .malformed) }
    }
    guard let length = headLength() else {
      if input.count > HTTP1Decoder.headLimit { return giveUp(.headTooLong) }
      guard let over else { return nil }
      return cutHead(over.at)
    }
    guard length <= HTTP1Decoder.headLimit else { return giveUp(.headTooLong) }
    return take(head: length)
  }

  /// Whether the first line is a start line; `nil` while it is not whole.
  private mutating func readsStartLine() -> Bool? {
    let bytes = input.bytes
    let span = bytes.readableSpan
    guard let lf = ByteScan.firstIndex(of: 0x0a, in: span, from: searched) else {
      searched = span.count
      return nil
    }
    searched = 0
    isStarted = HTTP1Head.beginsWithStartLine(span.extracting(0...lf), request: role == .request)
    return isStarted
  }

  /// Reads a head of this length; one that is none is skipped.
  private mutating func take(head length: Int) -> Event? {
    searched = 0
    isStarted = false
    let firstByteAt = input.time
    let (bytes, at) = input.take(length)
    guard let event = parse(bytes.readableSpan, firstByteAt, at) else {
      phase = .resync(.malformed)
      return .skipped(bytes: length, .malformed, at: at)
    }
    explained += length
    lastAt = at
    return event
  }

  private static func closes(_ fields: HeaderFields) -> Bool {
    guard let field = fields.firstIndex(named: "connection") else { return false }
    return isSameIgnoringCase(
      fields.text.span.extracting(fields.valueRange(field)), "close".utf8Span.span)
  }

  private mutating func parse(
    _ bytes: Span<UInt8>, _ firstByteAt: Timestamp, _ at: Timestamp
  ) -> Event? {
    if role == .request {
      guard let head = HTTP1Head.request(bytes) else { return nil }
      phase = Phase(BodyFraming.ofRequest(head.fields))
      if case .chunkSize = phase {
        unchunked = BodyFraming.ofRequest(head.fields, isChunked: false)
      }
      isLast = HTTP1Decoder.closes(head.fields)
      return .request(
        HTTPRequestHead(
          method: head.method, target: head.target, fields: head.fields,
          firstByteAt: firstByteAt, endAt: at))
    }
    guard let head = HTTP1Head.response(bytes) else { return nil }
    let response = HTTPResponseHead(
      status: head.status, fields: head.fields, firstByteAt: firstByteAt, endAt: at)
    if response.isInterim {
      phase = .start
    } else if head.status == 101 {
      phase = .tunnel
      queued.append(.end(complete: true, at: at))
    } else {
      phase = Phase(BodyFraming.ofResponse(head.fields, status: head.status))
      if case .chunkSize = phase {
        unchunked = BodyFraming.ofResponse(head.fields, status: head.status, isChunked: false)
      }
    }
    isLast = HTTP1Decoder.closes(head.fields)
    return .response(response)
  }

  /// A head that the recording has only the beginning of, when that tells what it is: nothing else of it comes.
  mutating func cutHead(_ at: Timestamp) -> Event? {
    searched = 0
    guard readsStartLine() ?? (phase == .start && isCutStartLine) else { return nil }
    let firstByteAt = input.time
    let (bytes, latest) = input.take(input.count)
    isStarted = false
    guard let head = parse(bytes.readableSpan, firstByteAt, latest) else {
      phase = .start
      return .skipped(bytes: bytes.readableBytes, .malformed, at: latest)
    }
    explained += bytes.readableBytes
    lastAt = latest
    phase = .start
    queued.removeAll()
    switch head {
    case .request(var head):
      head.isCut = true
      queued.append(.end(complete: false, at: latest))
      return .request(head)
    case .response(var head):
      head.isCut = true
      if !head.isInterim { queued.append(.end(complete: false, at: max(at, latest))) }
      return .response(head)
    default: return head
    }
  }

  /// Whether what is there of a start line tells a method and (some of) a target, or a status.
  private var isCutStartLine: Bool {
    let bytes = input.bytes
    let span = bytes.readableSpan
    let line = 0..<span.count
    guard role == .request else { return StartLine.status(span, line) != nil }
    guard let target = StartLine.request(span, line)?.target, !target.isEmpty else { return false }
    return span[target.lowerBound] == 0x2f
      || StartLine.begins(span, target.lowerBound, with: "http:")
  }

  private mutating func skipEmptyLines() {
    guard searched == 0, !isStarted else { return }
    while let byte = input.bytes.getInteger(at: input.bytes.readerIndex, as: UInt8.self),
      byte == 0x0d || byte == 0x0a
    {
      _ = input.take(1)
      explained += 1
    }
  }

  /// Length of the head with its empty line; remembers how far it searched, so that dripping bytes cost O(n).
  private mutating func headLength() -> Int? {
    let bytes = input.bytes
    let span = bytes.readableSpan
    var from = searched
    while let lf = ByteScan.firstIndex(of: 0x0a, in: span, from: from) {
      from = lf + 1
      let next = from < span.count && span[from] == 0x0d ? from + 1 : from
      if next < span.count, span[next] == 0x0a { return next + 1 }
    }
    searched = max(0, span.count - 2)
    return nil
  }

  // MARK: What can't be framed

  /// Returns whether a message begins somewhere in bytes from the middle of a direction.
  public static func holdsMessage(_ bytes: ByteBuffer, _ role: Role) -> Bool {
    let found = MessageSearch.find(
      bytes.readableSpan, request: role == .request, isChunkStart: true)
    if case .start = found { return true }
    return false
  }

  /// Looks for the next message behind the first byte: what begins there was seen to be none.
  mutating func giveUp(_ reason: SkipReason) -> Event? {
    phase = .resync(reason)
    searched = 0
    isStarted = false
    return search(reason, from: 1)
  }

  /// Skips bytes up to where a message begins.
  mutating func search(_ reason: SkipReason, from start: Int = 0) -> Event? {
    guard input.count > 0 else { return nil }
    let bytes = input.bytes
    let found = MessageSearch.find(
      bytes.readableSpan, from: start, request: role == .request,
      isChunkStart: input.isAtChunkStart)
    switch found {
    case .start(0):
      phase = .start
      return readHead()
    case .start(let index): return skip(index, reason)
    case .none(let index):
      if index > 0 { return skip(index, reason) }
      guard isCutOff else { return nil }
      return cutHead(over?.at ?? input.time) ?? skip(input.count, reason)
    }
  }

  mutating func skip(_ count: Int, _ reason: SkipReason) -> Event? {
    guard count > 0 else { return nil }
    let (bytes, at) = input.take(count)
    return .skipped(bytes: bytes.readableBytes, reason, at: at)
  }
}
