import Basics
import Capture
import Dissection
import NIOCore
import Packets
import Trace

/// Reassembly and dissection of a bundled capture of real SDK traffic (17 calls of three agents, SSE answers).
func pipelineBenchmarks() -> [Benchmark] {
  let frames = bundledFrames()
  let bytes = frames.map(\.bytes.readableBytes).reduce(0, +)
  let events = flowEvents(frames)
  let t0 = frames.first?.at ?? Timestamp(nanoseconds: 0)
  let lines = traceEvents(events, t0).count
  return [
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
  let dissector = Dissector(t0: t0, options: DissectionOptions(redactor: nil))
  var lines: [TraceEvent] = []
  for event in events {
    dissector.append(event)
    while let line = dissector.next() { lines.append(line) }
  }
  dissector.finish(at: t0)
  while let line = dissector.next() { lines.append(line) }
  return lines
}
