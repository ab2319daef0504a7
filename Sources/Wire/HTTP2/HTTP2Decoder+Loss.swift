import Basics
import NIOCore

/// What breaks the framing, and how it is found again.
extension HTTP2Decoder {
  mutating func cross(gap count: Int, at: Timestamp) {
    lastAt = max(lastAt, at)
    switch phase {
    case .data(let stream, let content, let padding, let endsStream)
    where count <= content + padding:
      let missing = min(count, content)
      if missing > 0 { queued.append(.dataGap(stream: stream, count: missing, at: at)) }
      phase = .data(
        stream: stream, content: content - missing, padding: padding - (count - missing),
        endsStream: endsStream)
    case .over(let left, let lost) where count <= left:
      phase = .over(left: left - count, lost: lost)
    case .frame where tear(count): break
    default:
      if case .data(let stream, let content, _, _) = phase, content > 0 {
        queued.append(.dataGap(stream: stream, count: content, at: at))
      }
      loseSync(.afterGap)
      // What was waiting for its rest won't get it.
      skip(input.count, .afterGap)
    }
  }

  /// Gives up the frame that has begun when the gap ends inside it: where the next begins is still known.
  private mutating func tear(_ count: Int) -> Bool {
    let bytes = input.bytes
    guard let header = HTTP2FrameHeader(bytes, at: bytes.readerIndex), header.isValid,
      input.count + count <= header.total
    else { return false }
    switch header.kind {
    case .headers, .pushPromise, .continuation:
      dropBlock(.afterGap)
      hpack.distrust()
    default: break
    }
    phase = .over(left: header.total - input.count - count, lost: .afterGap)
    skip(input.count, .afterGap)
    if header.kind == .headers, header.has(HTTP2FrameHeader.Flag.endStream) {
      queued.append(.end(stream: header.stream, at: lastAt))
    }
    return true
  }

  mutating func loseSync(_ reason: SkipReason) {
    dropBlock(reason)
    hpack.distrust()
    if case .resync = phase { return }
    phase = .resync(reason)
    queued.append(.lostSync(at: lastAt))
  }

  mutating func resync(_ reason: SkipReason) -> Bool {
    let bytes = input.bytes
    if role == .client, reason == .midstream, input.offset == 0,
      HTTP2Chain.preface.starts(with: bytes.readableBytesView.prefix(HTTP2Chain.preface.count))
    {
      guard bytes.readableBytes >= HTTP2Chain.preface.count else { return false }
      hpack = HPACKState(isKnown: true)
      phase = .preface
      return true
    }
    if role == .server, reason == .midstream, input.offset == 0 {
      switch HTTP2Chain.serverStart(bytes) {
      case .yes:
        hpack = HPACKState(isKnown: true)
        phase = .frame
        return true
      case .undecided where !bytes.readableBytesView.isEmpty && ending == nil: return false
      case .no, .undecided: break
      }
    }
    let isOver = later.isEmpty ? ending != nil : true
    let (start, isFound) = HTTP2Chain.find(in: bytes, atChunkStart: input.isAtChunkStart, isOver)
    skip(start, reason)
    guard isFound else { return false }
    if reason != .midstream { queued.append(.resynced(at: input.time)) }
    phase = .frame
    return true
  }

  /// The direction is over: what waits for its rest won't get it.
  mutating func finish() {
    dropBlock(.incomplete)
    if case .resync(let reason) = phase {
      skip(input.count, reason)
    } else {
      skip(input.count, .incomplete)
    }
  }
}
