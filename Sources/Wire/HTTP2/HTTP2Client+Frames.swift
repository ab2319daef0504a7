import Basics
import NIOCore
import NIOHPACK

/// What a server's frames do to the connection.
extension HTTP2Client {
  /// Settings that a client looks at (RFC 9113 §6.5.2).
  private enum Setting {
    static let headerTableSize: UInt16 = 1
    static let maxConcurrentStreams: UInt16 = 3
    static let initialWindowSize: UInt16 = 4
    static let maxFrameSize: UInt16 = 5
  }

  private static let refusedStream: UInt32 = 7

  /// Reads one frame, if it is there whole.
  mutating func readFrame() -> Bool {
    guard let header = HTTP2FrameHeader(input, at: input.readerIndex) else { return false }
    guard header.isValid, header.payload <= HTTP2Client.frameLimit else {
      fail("what came is no HTTP/2")
      return false
    }
    guard input.readableBytes >= header.total else { return false }
    input.moveReaderIndex(forwardBy: HTTP2FrameHeader.length)
    guard var payload = input.readSlice(length: header.payload) else { return false }
    if block != nil, header.kind != .continuation {
      fail("a header block was not finished")
      return false
    }
    switch header.kind {
    case .data: data(header, &payload)
    case .headers: headers(header, &payload)
    case .continuation: continuation(header, payload)
    case .reset: gaveUp(header.stream, code: payload.readInteger() ?? 0)
    case .settings: settings(header, &payload)
    case .ping: ping(header, payload)
    case .goAway: goAway(Int(payload.readInteger(as: UInt32.self) ?? 0) & 0x7fff_ffff)
    case .windowUpdate: widen(header.stream, Int(payload.readInteger(as: UInt32.self) ?? 0))
    case .pushPromise: fail("a server may not push here")
    case .priority, nil: break
    }
    return true
  }

  /// Takes away the padding of a frame; false when it is more than the frame.
  private mutating func unpad(_ header: HTTP2FrameHeader, _ payload: inout ByteBuffer) -> Bool {
    guard header.has(HTTP2FrameHeader.Flag.padded) else { return true }
    let padding = Int(payload.readInteger(as: UInt8.self) ?? 0)
    guard padding <= payload.readableBytes else {
      fail("a frame is all padding")
      return false
    }
    payload.moveWriterIndex(to: payload.writerIndex - padding)
    return true
  }

  private mutating func data(_ header: HTTP2FrameHeader, _ payload: inout ByteBuffer) {
    acknowledge(header.stream, header.payload)
    guard unpad(header, &payload), let stream = streams[header.stream] else { return }
    guard stream.hasHead else {
      streams[header.stream] = nil
      reset(header.stream, code: 1)
      ready.append(.reset(stream: header.stream, wasRefused: false))
      return
    }
    if payload.readableBytes > 0 { ready.append(.data(stream: header.stream, payload)) }
    if header.has(HTTP2FrameHeader.Flag.endStream) { end(header.stream) }
  }

  /// Gives the windows back when half of them is used up.
  private mutating func acknowledge(_ number: Int, _ bytes: Int) {
    unacknowledged += bytes
    if unacknowledged > HTTP2Client.connectionWindow / 2 {
      update(0, unacknowledged)
      unacknowledged = 0
    }
    guard var stream = streams[number] else { return }
    stream.unacknowledged += bytes
    if stream.unacknowledged > HTTP2Client.streamWindow / 2 {
      update(number, stream.unacknowledged)
      stream.unacknowledged = 0
    }
    streams[number] = stream
  }

  private mutating func update(_ stream: Int, _ bytes: Int) {
    frame(.windowUpdate, stream: stream, payload: 4)
    out.writeInteger(UInt32(bytes))
  }

  private mutating func headers(_ header: HTTP2FrameHeader, _ payload: inout ByteBuffer) {
    guard unpad(header, &payload) else { return }
    if header.has(HTTP2FrameHeader.Flag.priority) {
      payload.moveReaderIndex(forwardBy: min(5, payload.readableBytes))
    }
    let endsStream = header.has(HTTP2FrameHeader.Flag.endStream)
    if header.has(HTTP2FrameHeader.Flag.endHeaders) {
      head(header.stream, payload, endsStream)
    } else {
      block = (header.stream, payload, endsStream)
    }
  }

  private mutating func continuation(_ header: HTTP2FrameHeader, _ payload: ByteBuffer) {
    guard var open = block, open.stream == header.stream,
      open.bytes.readableBytes + payload.readableBytes <= HTTP2Decoder.headerBlockLimit
    else { return fail("a header block is out of place or too long") }
    open.bytes.writeImmutableBuffer(payload)
    block = open
    guard header.has(HTTP2FrameHeader.Flag.endHeaders) else { return }
    block = nil
    head(open.stream, open.bytes, open.endsStream)
  }

  private mutating func head(_ number: Int, _ bytes: ByteBuffer, _ endsStream: Bool) {
    var bytes = bytes
    let decoded: HPACKHeaders
    do {
      decoded = try decoder.decodeHeaders(from: &bytes)
    } catch {
      return fail("a header block could not be read")
    }
    guard let stream = streams[number] else { return }
    if stream.hasHead {
      // Trailers say nothing here.
      if endsStream { end(number) }
      return
    }
    let status = decoded.first(name: ":status").flatMap { Int($0) } ?? 0
    if (100..<200).contains(status), !endsStream { return }
    streams[number]?.hasHead = true
    let fields = decoded.lazy.filter { !$0.name.hasPrefix(":") }
      .map { HeaderField($0.name, $0.value) }
    ready.append(
      .head(
        stream: number, status: status, fields: HeaderFields(Array(fields)),
        endsStream: endsStream))
    if endsStream { end(number) }
  }

  private mutating func end(_ number: Int) {
    // An answer before the request's end: what is left of it is of no use (RFC 9113 §8.1).
    if streams[number]?.body != nil { reset(number, code: 0) }
    streams[number] = nil
    ready.append(.end(stream: number))
  }

  private mutating func gaveUp(_ number: Int, code: UInt32) {
    guard streams.removeValue(forKey: number) != nil else { return }
    ready.append(.reset(stream: number, wasRefused: code == HTTP2Client.refusedStream))
  }

  private mutating func goAway(_ last: Int) {
    isGoingAway = true
    for number in streams.keys.filter({ $0 > last }).sorted() {
      streams[number] = nil
      ready.append(.reset(stream: number, wasRefused: true))
    }
  }

  private mutating func ping(_ header: HTTP2FrameHeader, _ payload: ByteBuffer) {
    guard !header.has(HTTP2FrameHeader.Flag.endStream) else { return }
    frame(.ping, flags: HTTP2FrameHeader.Flag.endStream, payload: payload.readableBytes)
    out.writeImmutableBuffer(payload)
  }

  private mutating func settings(_ header: HTTP2FrameHeader, _ payload: inout ByteBuffer) {
    guard !header.has(HTTP2FrameHeader.Flag.endStream) else { return }
    while let name = payload.readInteger(as: UInt16.self),
      let value = payload.readInteger(as: UInt32.self)
    {
      set(name, Int(value))
    }
    frame(.settings, flags: HTTP2FrameHeader.Flag.endStream, payload: 0)
    for number in streams.keys.sorted() { sendBody(number) }
  }

  private mutating func set(_ name: UInt16, _ value: Int) {
    switch name {
    case Setting.headerTableSize:
      do {
        try encoder.setDynamicTableSize(min(value, HPACKEncoder.defaultDynamicTableSize))
      } catch {
        fail("the header table's size is out of range")
      }
    case Setting.maxConcurrentStreams: peerStreams = value
    case Setting.initialWindowSize:
      guard value <= 0x7fff_ffff else { return fail("a window is out of range") }
      for number in streams.keys { streams[number]?.window += value - peerStreamWindow }
      peerStreamWindow = value
    case Setting.maxFrameSize:
      peerFrameSize = min(max(value, HTTP2FrameHeader.defaultMaxFrameSize), 0xff_ffff)
    default: break
    }
  }

  private mutating func widen(_ number: Int, _ bytes: Int) {
    if number == 0 {
      sendWindow += bytes
      for number in streams.keys.sorted() { sendBody(number) }
    } else {
      streams[number]?.window += bytes
      sendBody(number)
    }
  }
}
