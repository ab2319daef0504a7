import Capture
import NIOCore
import Packets
import TestKit
import Testing

struct `Capture files` {
  @Test func `longer than a block are read whole, also with records longer than one`() throws {
    var builder = PcapngBuilder()
    builder.section()
    builder.interface()
    var want: [Decoded.Frame] = []
    for i in 0..<300 {
      let length = i % 100 == 7 ? CaptureFile.blockSize * 3 + i : 4000 + i
      let data = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ i) }
      builder.packet(data, ticks: UInt64(i))
      want.append(.init(data, at: Int64(i) * 1000))
    }
    let file = try ReadFile(builder.bytes)
    #expect(file.frames == want)
    #expect(file.error == nil)
  }

  @Test func `give frames that stay as they are when kept`() throws {
    var builder = PcapngBuilder()
    builder.section()
    builder.interface()
    for i in 0..<1000 {
      builder.packet([UInt8](repeating: UInt8(i & 0xff), count: 1000), ticks: UInt64(i))
    }
    let disk = try CaptureOnDisk(builder.bytes)
    let file = try CaptureFile(path: disk.path)
    var kept: [ByteBuffer] = []
    while let item = try file.next() {
      if case .frame(let frame) = item { kept.append(frame.bytes) }
    }
    let want = (0..<1000).map { ByteBuffer(repeating: UInt8($0 & 0xff), count: 1000) }
    #expect(kept == want)
  }

  @Test func `that are missing or folders cannot be opened`() {
    for path in ["/nonexistent/file.pcap", "/tmp"] {
      let file = ReadFile(path: path)
      #expect(file.error?.what == .cannotOpen)
      #expect(file.error?.path == path)
      #expect(file.error?.cause.isEmpty == false)
    }
  }

  @Test func `say what is wrong and where in one sentence`() throws {
    var builder = PcapngBuilder()
    builder.section()
    let at = builder.bytes.readableBytes
    builder.block(6, ByteBuffer())
    let disk = try CaptureOnDisk(builder.bytes)
    let error = try #require(ReadFile(path: disk.path).error)
    #expect(
      error.description
        == "\(disk.path): damaged record at byte \(at): a block of 12 bytes is too short for its kind"
    )
  }
}
