import Basics
import Capture
import Foundation
import NIOCore
import Packets
import TestKit
import Testing
import Trace

/// A run of `record pcap` and the trace it made; no events when there is none.
private struct Recorded {
  var status: Int32
  var errors: String
  var events: [TraceEvent] = []

  init(_ arguments: [String]) throws {
    let (result, events) = try TemporaryFile.with { path in
      let result = try Program.run("record", ["pcap", "--output", path] + arguments)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      return (result, text.isEmpty ? [] : try TraceReader.events(of: path))
    }
    status = result.status
    errors = result.errors
    self.events = events
  }

  var footer: FooterLine? {
    if case .footer(let line) = events.last { line } else { nil }
  }

  /// All lines but those that name inputs, keys and counts of the source.
  var body: [String] {
    events.filter {
      switch $0 {
      case .header, .footer: false
      default: true
      }
    }.map(\.line.text)
  }
}

/// Writes captures to files that live as long as `body`.
private func withFiles<Result>(
  _ contents: [ByteBuffer], _ body: ([String]) throws -> Result
) throws -> Result {
  var paths: [String] = []
  defer { for path in paths { unsafe unlink(path) } }
  for content in contents {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("record-\(UUID().uuidString).pcap")
    try Data(content.readableBytesView).write(to: url)
    paths.append(url.path)
  }
  return try body(paths)
}

/// The frames of a bundled capture.
private func frames(_ name: String) throws -> [CapturedFrame] {
  let file = try CaptureFile(path: BundledCapture.path("\(name).pcap"))
  var frames: [CapturedFrame] = []
  while let item = try file.next() {
    if case .frame(let frame) = item { frames.append(frame) }
  }
  return frames
}

struct `record pcap` {
  @Test func `makes the same trace of a capture in pieces, given in any order`() throws {
    let all = try frames("stateful-sse")
    let cuts = [0, all.count / 3, all.count / 2, all.count]
    let pieces = zip(cuts, cuts.dropFirst()).map { PcapBuilder().file(Array(all[$0..<$1])) }
    // Every second packet in one file, the others in another: two taps.
    let taps = [0, 1].map { odd in
      PcapBuilder().file(all.enumerated().filter { $0.offset % 2 == odd }.map(\.element))
    }
    let whole = try Recorded([BundledCapture.path("stateful-sse.pcap"), "--no-redact"])
    #expect(whole.status == 0)
    try withFiles([pieces[2], pieces[0], pieces[1]]) { paths in
      let recorded = try Recorded(paths + ["--no-redact"])
      #expect(recorded.status == 0)
      #expect(recorded.body == whole.body)
    }
    try withFiles(taps) { paths in
      let recorded = try Recorded(paths + ["--no-redact"])
      #expect(recorded.body == whole.body)
    }
  }

  @Test func `reads a packed capture as what it holds`() throws {
    let plain = PcapBuilder().file(try frames("stateful-json"))
    let whole = try Recorded([BundledCapture.path("stateful-json.pcap"), "--no-redact"])
    try withFiles([Deflate.whole(plain, .gzip), ZstdFrame.whole(plain)]) { paths in
      for path in paths {
        let recorded = try Recorded([path, "--no-redact"])
        #expect(recorded.status == 0)
        #expect(recorded.body == whole.body)
      }
    }
  }

  @Test func `takes the connections of a port and counts the others as filtered`() throws {
    var script = TCPScript()
    script.handshake()
    script.send(.c2s, "GET / HTTP/1.1\r\n\r\n")
    var other = TCPScript()
    other.handshake()
    other.send(.c2s, "GET /other HTTP/1.1\r\n\r\n")
    let moved = other.segments.map { segment in
      var segment = segment
      if segment.from.port == 80 { segment.from = Endpoint(host: segment.from.host, port: 81) }
      if segment.to.port == 80 { segment.to = Endpoint(host: segment.to.host, port: 81) }
      return segment
    }
    let file = PcapBuilder().file(PcapBuilder().frames(script.segments + moved))
    try withFiles([file]) { paths in
      let recorded = try Recorded(paths + ["--port", "81", "--exchanges"])
      #expect(recorded.status == 0)
      let targets = recorded.events.compactMap {
        if case .exchange(let line) = $0 { line.target } else { nil }
      }
      #expect(targets == ["/other"])
      #expect(
        recorded.footer?.packets == ["in": 8, "filtered": 4, "tcp.control": 3, "tcp.data": 1])
      let both = try Recorded(paths + ["--port", "81", "--port", "80"])
      #expect(both.footer?.packets == ["in": 8, "tcp.control": 6, "tcp.data": 2])
      let none = try Recorded(paths + ["--filter", "tcp port 81"])
      #expect(
        none.footer?.packets == ["in": 8, "filtered": 4, "tcp.control": 3, "tcp.data": 1])
    }
  }

  @Test func `writes what is good of a damaged file, and ends with 65`() throws {
    let all = try frames("stateful-json")
    var bytes = PcapBuilder().file(all)
    var at = 24
    for frame in all.prefix(20) { at += 16 + frame.bytes.readableBytes }
    bytes.setInteger(UInt32.max, at: at + 8)
    try withFiles([bytes]) { paths in
      let recorded = try Recorded(paths)
      #expect(recorded.status == 65)
      #expect(recorded.errors.contains("damaged record at byte \(at)"))
      #expect(recorded.footer?.packets?["in"] == 20)
      #expect(recorded.footer?.loss["file.corrupt_block"] == .init(count: 1, bytes: 0))
    }
  }

  @Test func `reads a file that was cut off, says so, and ends with 0`() throws {
    let whole = PcapBuilder().file(try frames("stateful-json"))
    let cut = try #require(whole.getSlice(at: 0, length: whole.readableBytes - 7))
    try withFiles([cut]) { paths in
      let recorded = try Recorded(paths)
      #expect(recorded.status == 0)
      #expect(recorded.errors.contains("is cut off at its end"))
      #expect(recorded.footer?.loss["file.truncated_tail"] == .init(count: 1, bytes: 0))
    }
  }

  @Test func `ends with 65 where there is nothing to read`() throws {
    var builder = PcapBuilder()
    builder.linkType = LinkType(147)
    let frame = CapturedFrame(
      bytes: ByteBuffer(repeating: 1, count: 60), originalLength: 60, linkType: LinkType(147),
      at: Timestamp(nanoseconds: 0))
    let files = [
      builder.file([frame]), PcapBuilder().file([]), ByteBuffer(string: "no capture at all"),
      ByteBuffer(),
    ]
    try withFiles(files) { paths in
      let results = try paths.map { try Recorded([$0]) }
      #expect(results.map(\.status) == [65, 65, 65, 65])
      #expect(results[0].errors.contains("link type 147 is not known"))
      #expect(results[1].errors.contains("no readable packet"))
      #expect(results[2].errors.contains("not a packet capture"))
      #expect(results[3].errors.contains("the file is empty"))
    }
  }

  @Test(arguments: [["-", "-"], ["--filter", "tcp prot 80", "x.pcap"], ["--port", "70000", "x"]])
  func `ends with 64 when it is used in a wrong way`(_ arguments: [String]) throws {
    #expect(try Recorded(arguments).status == 64)
  }
}
