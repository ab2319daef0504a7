import Basics
import NIOCore

/// Header blocks: HEADERS, PUSH_PROMISE and their CONTINUATIONs (RFC 9113 §4.3).
extension HTTP2Decoder {
  mutating func readHeaders(_ header: HTTP2FrameHeader) -> Bool {
    if header.total + (block?.size ?? 0) > HTTP2Decoder.headerBlockLimit {
      dropBlock(.headersTooLong)
      hpack.distrust()
      phase = .over(left: header.total, lost: .headersTooLong)
      if header.kind == .headers, header.has(HTTP2FrameHeader.Flag.endStream) {
        queued.append(.end(stream: header.stream, at: input.time))
      }
      return true
    }
    guard input.count >= header.total else { return false }
    let firstByteAt = input.time
    let (frame, at) = input.take(header.total)
    lastAt = at
    if header.kind == .continuation, block == nil {
      // The rest of a block whose beginning was lost.
      queued.append(.skipped(bytes: header.total, .malformed, at: at))
    } else if header.kind == .continuation {
      block?.append(frame, at: at)
    } else {
      block = HTTP2HeaderBlock(header, frame, firstByteAt: firstByteAt, endAt: at)
    }
    guard header.has(HTTP2FrameHeader.Flag.endHeaders), let whole = block else { return true }
    block = nil
    decode(whole)
    return true
  }

  private mutating func decode(_ block: HTTP2HeaderBlock) {
    if let fragment = block.fragment, let decoded = hpack.decode(fragment) {
      explained += block.size
      queued.append(
        .headers(
          Headers(
            stream: block.stream, promised: block.promised, fields: decoded.fields,
            unknown: decoded.unknown, areGuessed: hpack.isGuessed, endsStream: block.endsStream,
            firstByteAt: block.firstByteAt, endAt: block.endAt)))
    } else {
      hpack.distrust()
      queued.append(.skipped(bytes: block.size, .undecodable, at: block.endAt))
    }
    if block.endsStream { queued.append(.end(stream: block.stream, at: block.endAt)) }
  }

  /// Gives up a header block whose rest does not come.
  mutating func dropBlock(_ reason: SkipReason) {
    guard let lost = block else { return }
    block = nil
    hpack.distrust()
    queued.append(.skipped(bytes: lost.size, reason, at: lost.endAt))
    if lost.endsStream { queued.append(.end(stream: lost.stream, at: lost.endAt)) }
  }
}
