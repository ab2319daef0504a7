import Basics
import Capture
import Dissection
import NIOCore
import Packets
import Trace

/// Reading, reassembly and dissection of a bundled capture of real SDK traffic (17 calls of three agents, SSE answers).
func pipelineBenchmarks() -> [Benchmark] {
  let frames = bundledFrames()
  let bytes = frames.map(\.bytes.readableBytes).reduce(0, +)
  let events = flowEvents(frames)
  let t0 = frames.first?.at ?? Timestamp(nanoseconds: 0)
  let lines = traceEvents(events, t0).count
  let file = captureFile(frames)
  return [
    Benchmark("reading: packet of a capture", bytes: bytes / frames.count) { count in
      var left = count
      var sum = 0
      while left > 0 {
        left -= frames.count
        sum &+= lengthOfFrames(file)
      }
      return sum
    },
    Benchmark("reassembly: packet of a capture", bytes: bytes / frames.count) { count in
      var left = count
      var sum = 0
      while left > 0 {
        left -= frames.count
        sum &+= flowEvents(frames).count
      }
      return sum
    },
    Benchmark("dissection: packet of a capture", bytes: bytes / frames.count) { count in
      var left = count
      var sum = 0
      while left > 0 {
        left -= frames.count
        sum &+= traceEvents(events, t0).count
      }
      return sum
    },
    Benchmark("dissection: line of a trace, from flow events", bytes: bytes / lines) { count in
      var left = count
      var sum = 0
      while left > 0 {
        left -= lines
        sum &+= traceEvents(events, t0).count
      }
      return sum
    },
  ]
}

private func bundledFrames() -> [CapturedFrame] {
  let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
  var frames: [CapturedFrame] = []
  do {
    let file = try CaptureFile(path: root + "/captures/parallel-three-agents.pcap")
    while let item = try file.next() {
      if case .frame(let frame) = item { frames.append(frame) }
    }
  } catch {
    preconditionFailure("the bundled capture can't be read: \(error)")
  }
  return frames
}

/// A classic capture file of the frames, with nanoseconds.
private func captureFile(_ frames: [CapturedFrame]) -> ByteBuffer {
  var file = ByteBuffer()
  for word in [0xa1b2_3c4d, 0x0002_0004, 0, 0, 262_144, 1] as [UInt32] { file.writeInteger(word) }
  for frame in frames {
    let (seconds, rest) = frame.at.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    file.writeInteger(UInt32(seconds))
    file.writeInteger(UInt32(rest))
    file.writeInteger(UInt32(frame.bytes.readableBytes))
    file.writeInteger(UInt32(frame.originalLength))
    file.writeImmutableBuffer(frame.bytes)
  }
  return file
}

private func lengthOfFrames(_ file: ByteBuffer) -> Int {
  var decoder = CaptureDecoder()
  var sum = 0
  decoder.append(file)
  do {
    while let item = try decoder.next() {
      if case .frame(let frame) = item { sum &+= frame.bytes.readableBytes }
    }
  } catch {
    preconditionFailure("the bundled capture can't be read: \(error)")
  }
  return sum
}

private func flowEvents(_ frames: [CapturedFrame]) -> [FlowEvent] {
  var table = FlowTable()
  var events: [FlowEvent] = []
  for frame in frames {
    table.append(frame)
    while let event = table.next() { events.append(event) }
  }
  table.finish()
  while let event = table.next() { events.append(event) }
  return events
}

private func traceEvents(_ events: [FlowEvent], _ t0: Timestamp) -> [TraceEvent] {
  let lines = TraceLines(.events)
  let dissector = Dissector(t0: t0, options: DissectionOptions(redactor: nil), lines: lines)
  for event in events { dissector.append(event) }
  dissector.finish(at: t0)
  return lines.takeEvents()
}
