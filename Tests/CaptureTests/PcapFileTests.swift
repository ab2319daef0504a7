import Basics
import Capture
import Glibc
import NIOCore
import Packets
import TestKit
import Testing

/// A capture in a file that goes when the test ends.
final class CaptureOnDisk {
  let path: String

  init(_ bytes: ByteBuffer) throws {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? P_tmpdir
    var template = Array("\(folder)/pcap-test-XXXXXX".utf8CString)
    let descriptor = unsafe mkstemp(&template)
    path = String(
      decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let view = Array(bytes.readableBytesView)
    let written = unsafe write(descriptor, view, view.count)
    close(descriptor)
    try #require(written == view.count)
  }

  deinit { unsafe unlink(path) }
}

struct `Capture files` {
  private static func script() -> TCPScript {
    var script = TCPScript()
    script.handshake()
    script.now = script.now + 123_456
    script.send(.c2s, "ping")
    script.send(.s2c, "pong")
    return script
  }

  private static func frames() -> [CapturedFrame] { PcapBuilder().frames(script().segments) }

  /// Reads all frames; the error, if any, and the tail.
  private func read(
    _ bytes: ByteBuffer, filter: String? = nil
  ) throws -> (frames: [CapturedFrame], tail: Int, error: PcapError?, filteredOut: Int) {
    let file = try CaptureOnDisk(bytes)
    var capture = try PcapFile(path: file.path, filter: filter)
    var frames: [CapturedFrame] = []
    do throws(PcapError) {
      while let frame = try capture.next() { frames.append(frame) }
    } catch {
      return (frames, capture.truncatedTail, error, capture.filteredOut)
    }
    return (frames, capture.truncatedTail, nil, capture.filteredOut)
  }

  @Test(arguments: [(true, false), (true, true), (false, false), (false, true)])
  func `frames come back with their times and lengths`(
    _ hasNanoseconds: Bool, _ isBigEndian: Bool
  ) throws {
    var builder = PcapBuilder()
    builder.hasNanoseconds = hasNanoseconds
    builder.isBigEndian = isBigEndian
    builder.snapLength = 57
    let written = builder.frames(`Capture files`.script().segments)
    let result = try read(builder.file(written))
    let times = written.map { hasNanoseconds ? $0.at : $0.at + -($0.at.nanoseconds % 1000) }
    #expect(result.frames.map(\.bytes) == written.map(\.bytes))
    #expect(result.frames.map(\.originalLength) == written.map(\.originalLength))
    #expect(result.frames.map(\.at) == times)
    #expect(result.frames.allSatisfy { $0.linkType == .ethernet })
    #expect(result.tail == 0)
    #expect(result.error == nil)
  }

  @Test(arguments: [LinkType.null, .loop, .ipv4, .linuxSLL, .linuxSLL2])
  func `the file's link type is that of its frames`(_ type: LinkType) throws {
    var builder = PcapBuilder()
    builder.linkType = type
    let result = try read(builder.file(builder.frames(`Capture files`.script().segments)))
    #expect(result.frames.count == 5)
    #expect(FlowTranscript(result.frames).lines.contains("1 c2s \"ping\" @3"))
  }

  @Test func `a file cut off anywhere keeps all whole records`() throws {
    let frames = `Capture files`.frames()
    let whole = PcapBuilder().file(frames)
    var ends = [24]
    for frame in frames { ends.append((ends.last ?? 0) + 16 + frame.bytes.readableBytes) }
    for length in 24...whole.readableBytes {
      let cut = try #require(whole.getSlice(at: 0, length: length))
      let result = try read(cut)
      let complete = ends.filter { $0 <= length }
      #expect(result.frames.count == complete.count - 1, "cut at \(length)")
      #expect(result.tail == length - (complete.last ?? 0), "cut at \(length)")
      #expect(result.error == nil, "cut at \(length)")
    }
  }

  @Test func `a damaged record is an error with its offset`() throws {
    let frames = `Capture files`.frames()
    var bytes = PcapBuilder().file(frames)
    let second = 24 + 16 + frames[0].bytes.readableBytes
    bytes.setInteger(UInt32.max, at: second + 8)
    let result = try read(bytes)
    let error = try #require(result.error)
    #expect(result.frames.count == 1)
    #expect(error.what == .corruptRecord)
    #expect(error.offset == second)
    #expect(error.description.contains("damaged record at byte \(second)"))
  }

  @Test(
    arguments: [
      ("nothing", [], PcapError.What.notACapture),
      ("half a header", [0xd4, 0xc3, 0xb2, 0xa1, 2], .notACapture),
      ("text", Array("hello, this is not a capture at all".utf8), .notACapture),
      ("gzip", [0x1f, 0x8b, 8, 0], .compressed), ("zstd", [0x28, 0xb5, 0x2f, 0xfd], .compressed),
    ] as [(String, [UInt8], PcapError.What)])
  func `what is not a capture is refused`(_ name: String, _ bytes: [UInt8], _ what: PcapError.What)
    throws
  {
    let file = try CaptureOnDisk(ByteBuffer(bytes: bytes))
    let path = file.path
    let error = #expect(throws: PcapError.self) { _ = try PcapFile(path: path).linkType }
    #expect(error?.what == what, "\(name)")
    #expect(error?.path == path)
  }

  @Test func `a missing file and a directory cannot be opened`() {
    for path in ["/nonexistent/file.pcap", "/tmp"] {
      let error = #expect(throws: PcapError.self) { _ = try PcapFile(path: path).linkType }
      #expect(error?.what == .cannotOpen)
      #expect(error?.cause.isEmpty == false)
    }
  }

  @Test func `a filter keeps what it matches and counts the rest`() throws {
    let bytes = PcapBuilder().file(`Capture files`.frames())
    let result = try read(bytes, filter: "src port 80")
    #expect(result.frames.count == 2)
    #expect(result.filteredOut == 3)
    let cut = try #require(bytes.getSlice(at: 0, length: bytes.readableBytes - 3))
    #expect(try read(cut, filter: "dst port 80").filteredOut == 1)
  }

  @Test func `a filter that does not compile is refused`() throws {
    let file = try CaptureOnDisk(PcapBuilder().file(`Capture files`.frames()))
    let path = file.path
    let error = #expect(throws: PcapError.self) {
      _ = try PcapFile(path: path, filter: "tcp prot 80").linkType
    }
    #expect(error?.what == .badFilter)
  }
}
