import Basics
public import NIOCore

/// Heads, and the way back to one.
extension HTTP1Decoder {
  mutating func readHead() -> Event? {
    skipEmptyLines()
    guard input.count > 0 else { return nil }
    if let event = takeKnownHead() { return event }
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
    guard let (head, fieldsStart) = parse(bytes.readableSpan) else {
      phase = .resync(.malformed)
      return .skipped(bytes: length, .malformed, at: at)
    }
    memo.remember(head, bytes.readableSpan, fieldsStart: fieldsStart)
    explained += length
    lastAt = at
    return begin(head, head.fields, head.framing, firstByteAt, at)
  }

  /// Takes a head that is like the one before.
  private mutating func takeKnownHead() -> Event? {
    guard !isStarted, searched == 0 else { return nil }
    guard let match = memo.match(input.span) else { return nil }
    let firstByteAt = input.time
    let at = input.skip(match.length)
    explained += match.length
    lastAt = at
    let known = memo[match]
    return begin(
      known.head, match.fields(of: known), match.framing(of: known), firstByteAt, at)
  }

  private static func closes(_ fields: HeaderFields) -> Bool {
    guard let field = fields.firstIndex(.connection) else { return false }
    return isSameIgnoringCase(fields.value(field), "close".utf8Span.span)
  }

  /// Reads a head; `nil` when it is none.
  private func parse(_ bytes: Span<UInt8>) -> (head: HeadMemo.Head, fieldsStart: Int?)? {
    if role == .request {
      guard let request = HTTP1Head.request(bytes) else { return nil }
      let fields = request.fields
      let framing = BodyFraming.ofRequest(fields)
      let head = HeadMemo.Head(
        startLine: .request(method: request.method, target: request.target), fields: fields,
        framing: framing,
        unchunked: framing == .chunked ? .ofRequest(fields, isChunked: false) : .none,
        isLast: HTTP1Decoder.closes(fields))
      return (head, request.fieldsStart)
    }
    guard let response = HTTP1Head.response(bytes) else { return nil }
    let (fields, status) = (response.fields, response.status)
    let framing = BodyFraming.ofResponse(fields, status: status)
    let head = HeadMemo.Head(
      startLine: .response(status: status), fields: fields, framing: framing,
      unchunked: framing == .chunked
        ? .ofResponse(fields, status: status, isChunked: false) : .none,
      isLast: HTTP1Decoder.closes(fields))
    return (head, response.fieldsStart)
  }

  /// Begins the message of a head, which has fields and a framing of its own.
  private mutating func begin(
    _ head: HeadMemo.Head, _ fields: HeaderFields, _ framing: BodyFraming,
    _ firstByteAt: Timestamp, _ at: Timestamp
  ) -> Event {
    isLast = head.isLast
    if framing == .chunked { unchunked = head.unchunked }
    switch head.startLine {
    case .request(let method, let target):
      phase = Phase(framing)
      return .request(
        HTTPRequestHead(
          method: method, target: target, fields: fields, firstByteAt: firstByteAt, endAt: at))
    case .response(let status):
      let response = HTTPResponseHead(
        status: status, fields: fields, firstByteAt: firstByteAt, endAt: at)
      if response.isInterim {
        phase = .start
      } else if status == 101 {
        phase = .tunnel
        queued.append(.end(complete: true, at: at))
      } else {
        phase = Phase(framing)
      }
      return .response(response)
    }
  }

  /// A head that the recording has only the beginning of, when that tells what it is: nothing else of it comes.
  mutating func cutHead(_ at: Timestamp) -> Event? {
    searched = 0
    guard readsStartLine() ?? (phase == .start && isCutStartLine) else { return nil }
    let firstByteAt = input.time
    let (bytes, latest) = input.take(input.count)
    isStarted = false
    guard let (head, _) = parse(bytes.readableSpan) else {
      phase = .start
      return .skipped(bytes: bytes.readableBytes, .malformed, at: latest)
    }
    explained += bytes.readableBytes
    lastAt = latest
    let event = begin(head, head.fields, head.framing, firstByteAt, latest)
    phase = .start
    queued.removeAll()
    switch event {
    case .request(var head):
      head.isCut = true
      queued.append(.end(complete: false, at: latest))
      return .request(head)
    case .response(var head):
      head.isCut = true
      if !head.isInterim { queued.append(.end(complete: false, at: max(at, latest))) }
      return .response(head)
    default: return event
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
    while input.count > 0, input.span[0] == 0x0d || input.span[0] == 0x0a {
      _ = input.skip(1)
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
