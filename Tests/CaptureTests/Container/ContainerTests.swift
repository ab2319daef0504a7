import Capture
import NIOCore
import TestKit
import Testing

/// A file of 40 packets, about 1 KB, and what it holds.
private func capture() -> (bytes: ByteBuffer, frames: [Decoded.Frame]) {
  var file = PcapngBuilder()
  file.section()
  file.interface()
  for i in 0..<40 { file.packet([1, 2, 3, UInt8(i)], ticks: UInt64(i)) }
  return (file.bytes, Decoded([file.bytes]).frames)
}

private func joined(_ parts: [ByteBuffer]) -> ByteBuffer {
  var out = ByteBuffer()
  for part in parts { out.writeImmutableBuffer(part) }
  return out
}

private func halves(_ bytes: ByteBuffer) throws -> (ByteBuffer, ByteBuffer) {
  let middle = bytes.readableBytes / 2 + 1
  return (
    try #require(bytes.getSlice(at: 0, length: middle)),
    try #require(bytes.getSlice(at: middle, length: bytes.readableBytes - middle))
  )
}

struct `Compressed captures` {
  @Test func `are read as what they hold`() throws {
    let (bytes, frames) = capture()
    for packed in [Deflate.whole(bytes, .gzip), ZstdFrame.whole(bytes)] {
      let file = try ReadFile(packed)
      #expect(file.frames == frames)
      #expect(file.counters == [:])
      #expect(file.error == nil)
    }
  }

  @Test func `may have several members or frames`() throws {
    let (bytes, frames) = capture()
    let (a, b) = try halves(bytes)
    let members = [Deflate.whole(a, .gzip), Deflate.whole(ByteBuffer(), .gzip)]
    let gzip = joined(members + [Deflate.whole(b, .gzip), ByteBuffer(repeating: 0, count: 700)])
    let zstd = joined([
      ZstdFrame.skippable([1, 2, 3]), ZstdFrame.whole(a), ZstdFrame.skippable([]),
      ZstdFrame.whole(b), ZstdFrame.skippable([4]),
    ])
    for packed in [gzip, zstd] {
      let file = try ReadFile(packed)
      #expect(file.frames == frames)
      #expect(file.counters == [:])
      #expect(file.error == nil)
    }
  }

  @Test func `come through pipes`() throws {
    let (bytes, frames) = capture()
    for packed in [bytes, Deflate.whole(bytes, .gzip), ZstdFrame.whole(bytes)] {
      let pipe = try Pipe(packed)
      #expect(ReadFile(path: pipe.path).frames == frames)
      #expect(try CaptureFile(path: pipe.path).isRegular == false)
    }
  }

  @Test func `that end early give what they hold up to there`() throws {
    let (bytes, frames) = capture()
    for packed in [Deflate.whole(bytes, .gzip), ZstdFrame.whole(bytes)] {
      for length in 4..<packed.readableBytes {
        let file = try ReadFile(try #require(packed.getSlice(at: 0, length: length)))
        #expect(frames.starts(with: file.frames), "cut at \(length)")
        // Where nothing came out there is not even a header.
        if file.error?.what != .notACapture {
          #expect(file.counters["file.truncated_container"] == 1, "cut at \(length)")
          #expect(file.error == nil, "cut at \(length)")
        }
      }
    }
    let gzip = Deflate.whole(bytes, .gzip)
    let almost = try ReadFile(
      try #require(gzip.getSlice(at: 0, length: gzip.readableBytes - 1)))
    #expect(almost.frames == frames)
  }

  @Test func `that are damaged end with the offset in the compressed data`() throws {
    let (bytes, frames) = capture()
    for isZstd in [false, true] {
      var damaged = isZstd ? ZstdFrame.whole(bytes) : Deflate.whole(bytes, .gzip)
      // The checksum, behind all data.
      let place = damaged.readableBytes - (isZstd ? 2 : 6)
      damaged.setInteger(
        (damaged.getInteger(at: place, as: UInt8.self) ?? 0) ^ 0x55, at: place)
      let file = try ReadFile(damaged)
      #expect(frames.starts(with: file.frames))
      #expect(file.error?.what == .corruptContainer)
      // zstd tells the place only as the chunk that it was given.
      let offset = try #require(file.error?.offset)
      #expect(isZstd ? offset == 0 : offset > 100)
      #expect(file.counters["file.corrupt_container"] == 1)
    }
  }

  @Test func `may have something behind them`() throws {
    let (bytes, frames) = capture()
    let file = try ReadFile(joined([Deflate.whole(bytes, .gzip), ByteBuffer(string: "garbage")]))
    #expect(file.frames == frames)
    #expect(file.counters == ["file.trailing_bytes": 7])
    #expect(file.error == nil)
  }

  @Test func `need a window of 128 MiB at most`() throws {
    let (bytes, frames) = capture()
    #expect(try ReadFile(ZstdFrame.whole(bytes, windowLog: 27)).frames == frames)
    let wide = try ReadFile(ZstdFrame.whole(bytes, windowLog: 28))
    #expect(wide.error?.what == .corruptContainer)
    #expect(wide.error?.cause.contains("too much memory") == true)
  }

  @Test func `may hold a hundred thousand times their size`() throws {
    var file = PcapngBuilder()
    file.section()
    file.interface()
    file.block(99, ByteBuffer(repeating: 0, count: 32 << 20))
    file.packet([1], ticks: 1)
    for packed in [Deflate.whole(file.bytes, .gzip), ZstdFrame.whole(file.bytes)] {
      #expect(try ReadFile(packed).frames == [.init([1], at: 1000)])
    }
  }

  @Test func `of other kinds are named`() throws {
    let file = try ReadFile(ByteBuffer(bytes: [0x04, 0x22, 0x4d, 0x18, 0, 0]))
    #expect(file.error?.what == .unsupported)
    #expect(file.error?.description.contains("lz4") == true)
  }
}
