import Basics
import Dissection
import NIOCore
import Trace

/// Plays the input as a connection, or as a process from 0x80 on: a byte that says who speaks and how much, then the bytes;
/// balance and trace must hold.
func fuzzDissection(_ input: ByteBuffer) {
  var rest = input
  var options = DissectionOptions(redactor: nil)
  options.exchanges = true
  let lines = TraceLines(.events)
  let dissector = Dissector(t0: moment(0), options: options, lines: lines)
  func drain() {
    for event in lines.takeEvents() {
      require(!event.line.bytes.readableBytesView.isEmpty, "an event has a line")
    }
  }
  let client = Endpoint(host: "127.0.0.1", port: 40000)
  let server = Endpoint(host: "127.0.0.1", port: 80)
  let kind = rest.readInteger(as: UInt8.self) ?? 0
  let flow = FlowID(1)
  let ends =
    kind >= 0x80
    ? FlowEnds(process: 2, of: 1)
    : FlowEnds(client: client, server: server, seenFromStart: kind & 1 == 0)
  dissector.append(.opened(flow, ends, at: moment(0)))
  var i = 0
  while let control = rest.readInteger(as: UInt8.self) {
    i += 1
    let direction = control & 1 == 0 ? Direction.c2s : .s2c
    if control == 0xfe {
      dissector.append(.gap(flow, .c2s, count: i, at: moment(i)))
    } else if control == 0xff {
      dissector.append(.gap(flow, .s2c, count: i, at: moment(i)))
    } else {
      let length = min(Int(control >> 1) * 8, rest.readableBytes)
      let bytes = rest.readSlice(length: length) ?? ByteBuffer()
      dissector.append(.bytes(flow, direction, bytes, at: moment(i)))
    }
    drain()
  }
  dissector.finish(at: moment(i + 1))
  drain()
  let footer = dissector.footer
  let lost = footer.loss.values.reduce(0) { $0 + $1.bytes }
  require(footer.bytesIn == footer.bytesExplained + lost, "every byte is explained or lost by name")
}
