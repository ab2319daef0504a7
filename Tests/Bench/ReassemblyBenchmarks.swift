import Basics
import Glibc
import NIOCore
import Packets

/// Reassembly of frames as a file's reader hands them over: slices of large blocks.
///
/// `BENCH_CAPTURE` names a classic capture in this machine's byte order; without it there is nothing to run.
func reassemblyBenchmarks() -> [Benchmark] {
  guard let path = unsafe getenv("BENCH_CAPTURE").map({ unsafe String(cString: $0) }) else {
    return []
  }
  let capture = BlockCapture(path)
  let bytes = capture.bytes / max(1, capture.packets)
  return [
    Benchmark("frames: slices of blocks", bytes: bytes) { count in
      var left = count
      var sum = 0
      while left > 0 {
        capture.forEach(first: left) { sum &+= $0.originalLength }
        left -= capture.packets
      }
      return sum
    },
    Benchmark("reassembly: slices of blocks", bytes: bytes) { count in
      var left = count
      var sum = 0
      while left > 0 {
        var table = FlowTable()
        capture.forEach(first: left) { frame in
          table.append(frame)
          while let event = table.next() {
            if case .bytes(_, _, let part, _) = event { sum &+= part.readableBytes }
          }
        }
        table.finish()
        while table.next() != nil { sum &+= 1 }
        left -= capture.packets
      }
      return sum
    },
  ]
}

/// A capture file in blocks that hold whole records.
private struct BlockCapture {
  private var blocks: [ByteBuffer] = []
  private var linkType = LinkType.ethernet
  private(set) var packets = 0
  private(set) var bytes = 0

  init(_ path: String) {
    guard let file = unsafe fopen(path, "rb") else { return }
    var rest = ByteBuffer()
    var isFirst = true
    while true {
      var block = ByteBuffer()
      block.reserveCapacity(rest.readableBytes + 262_144)
      block.writeBuffer(&rest)
      let count = unsafe block.writeWithUnsafeMutableBytes(minimumWritableBytes: 262_144) { space in
        unsafe fread(space.baseAddress, 1, 262_144, file)
      }
      if isFirst {
        linkType = LinkType(
          block.getInteger(at: 20, endianness: .little, as: UInt32.self).map { Int($0) } ?? 1)
        block.moveReaderIndex(forwardBy: 24)
        isFirst = false
      }
      var at = block.readerIndex
      while let length = block.getInteger(at: at + 8, endianness: .little, as: UInt32.self),
        at + 16 + Int(length) <= block.writerIndex
      {
        at += 16 + Int(length)
        packets += 1
        bytes += Int(length)
      }
      rest = ByteBuffer(
        bytes: block.getSlice(at: at, length: block.writerIndex - at)?.readableBytesView
          ?? ByteBuffer().readableBytesView)
      blocks.append(
        block.getSlice(at: block.readerIndex, length: at - block.readerIndex) ?? ByteBuffer())
      if count == 0 { break }
    }
    unsafe fclose(file)
  }

  func forEach(first count: Int, _ body: (CapturedFrame) -> Void) {
    var left = count
    for block in blocks {
      var at = block.readerIndex
      while at < block.writerIndex, left > 0 {
        left -= 1
        let header = block.getInteger(at: at, endianness: .little, as: UInt64.self) ?? 0
        let lengths = block.getInteger(at: at + 8, endianness: .little, as: UInt64.self) ?? 0
        let length = Int(lengths & 0xffff_ffff)
        let time = Int64(header & 0xffff_ffff) * 1_000_000_000 + Int64(header >> 32)
        let frame = CapturedFrame(
          bytes: block.getSlice(at: at + 16, length: length) ?? ByteBuffer(),
          originalLength: Int(lengths >> 32), linkType: linkType, at: Timestamp(nanoseconds: time))
        body(frame)
        at += 16 + length
      }
    }
  }
}
