import Basics
import NIOCore
import Trace

/// Writing and reading trace lines.
func traceBenchmarks() -> [Benchmark] {
  let headers = [
    "Host", "Accept", "Accept-Encoding", "Connection", "User-Agent", "content-type",
    "mcp-session-id",
  ].map { HeaderField($0, "8f2c1d34b3c44d5f9a0c6b7e8d9f0a1b") }
  var request = RequestLine(
    session: "s1", n: 17, t: 2_400_000_000, dir: .c2s, id: RawJSON(.int(17)), method: "tools/call")
  request.sent = 2_400_060_000
  request.tool = "search"
  request.origin = .agent
  request.turn = 3
  request.after = [16]
  request.afterBy = .order
  request.think = 1_200_000_000
  request.conn = 1
  request.x = 9
  request.via = .post
  request.headers = HeaderFields(headers)
  request.params = RawJSON(validating: Samples.request)
  request.bytes = 158
  var response = ResponseLine(
    session: "s1", n: 18, re: 17, t: 2_431_000_000, dir: .s2c, outcome: .ok)
  response.done = 2_431_040_000
  response.status = 200
  response.conn = 1
  response.x = 9
  response.via = .postSSE
  response.result = RawJSON(validating: Samples.request)
  response.bytes = 158
  var large = response
  large.result = RawJSON(validating: Samples.text)
  let events: [(String, TraceEvent)] = [
    ("request line", .request(request)), ("response line", .response(response)),
    ("64 KB response line", .response(large)),
  ]
  let header = TraceEvent.header(
    HeaderLine(recorder: "bench", source: .pcap, t0: Timestamp(nanoseconds: 0)))
  return events.map { name, event in
    Benchmark("trace encode: \(name)", bytes: event.line.bytes.readableBytes) { count in
      var writer = JSONWriter()
      var sum = 0
      for _ in 0..<count {
        event.write(to: &writer)
        if writer.bytes.count > 256 << 10 {
          sum &+= writer.bytes.count
          writer.removeAll()
        }
      }
      return sum
    }
  }
    + events.map { name, event in
      Benchmark("trace decode: \(name)", bytes: event.line.bytes.readableBytes) { count in
        var line = event.line.bytes
        line.writeString("\n")
        var chunk = ByteBuffer()
        while chunk.readableBytes < 256 << 10 { chunk.writeImmutableBuffer(line) }
        var decoder = TraceDecoder()
        decoder.append(ByteBuffer(string: header.line.text + "\n"))
        var left = count + 1
        while left > 0 {
          do {
            while left > 0, try decoder.next() != nil { left -= 1 }
          } catch {
            preconditionFailure("the benchmark's own line can't be read: \(error)")
          }
          if left > 0 { decoder.append(chunk) }
        }
        return decoder.line
      }
    }
}
