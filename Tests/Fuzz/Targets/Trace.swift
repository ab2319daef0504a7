import Basics
import NIOCore
import Trace

func fuzzTrace(_ input: ByteBuffer) {
  var decoder = TraceDecoder()
  for piece in pieces(of: input) { decoder.append(piece) }
  decoder.end()
  do throws(TraceFormatError) {
    while let event = try decoder.next() {
      require(!event.line.bytes.readableBytesView.isEmpty, "an event has a line")
    }
  } catch {
    require((error.line ?? 1) > 0, "lines count from 1")
  }
}
