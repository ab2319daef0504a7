import Basics
import NIOCore
import Wire

func fuzzHTTP2(_ input: ByteBuffer) {
  for role in [HTTP2Decoder.Role.client, .server] {
    for fromStart in [true, false] {
      var decoder = HTTP2Decoder(role: role, fromStart: fromStart)
      var told = 0
      func drain() {
        while let event = decoder.next() {
          switch event {
          case .skipped(let bytes, _, _): told += bytes
          case .data(_, let bytes, _): told += bytes.readableBytes
          default: break
          }
        }
      }
      for (i, piece) in pieces(of: input).enumerated() {
        decoder.append(piece, at: moment(i))
        if i % 9 == 7 { decoder.gap(1 + i, at: moment(i)) }
        drain()
      }
      decoder.end(.fin, at: moment(1 << 20))
      drain()
      require(
        decoder.explained + told == input.readableBytes, "every byte is explained, told or skipped")
    }
  }
}
