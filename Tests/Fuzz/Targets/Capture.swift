import Basics
import Capture
import NIOCore
import Packets

/// Reads the input as a capture file, whole and in pieces.
func fuzzCapture(_ input: ByteBuffer) {
  require(
    read([input]) == read(pieces(of: input)), "a file does not depend on how its bytes are cut")
}

/// What a file holds: bytes and times of its frames, secrets, what was counted, where it broke.
private func read(_ pieces: [ByteBuffer]) -> [String] {
  var decoder = CaptureDecoder()
  var items: [String] = []
  func drain() throws(CaptureFormatError) {
    while let item = try decoder.next() {
      switch item {
      case .frame(let frame):
        require(
          frame.bytes.readableBytes <= frame.originalLength, "a frame is no longer than it was")
        items.append("\(frame.at.nanoseconds) \(frame.linkType) \(frame.bytes.hashValue)")
      case .waiting: require(false, "bytes never wait")
      case .secrets(let secrets): items.append("\(secrets.type) \(secrets.bytes.hashValue)")
      }
    }
  }
  do throws(CaptureFormatError) {
    for piece in pieces {
      decoder.append(piece)
      try drain()
    }
    try decoder.finish()
    try drain()
  } catch {
    require(error.offset >= 0, "an error names its place")
    items.append("\(error.what) \(error.offset)")
  }
  return items
}
