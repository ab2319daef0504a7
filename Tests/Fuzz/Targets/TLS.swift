import Basics
import NIOCore
import Wire

/// Plays a connection: a key log with its length in two bytes, then pieces with two bytes before each: who speaks (the top
/// bit) and how much; `0x7fff` and `0xffff` are gaps.
func fuzzTLS(_ input: ByteBuffer) {
  var rest = input
  let keyLog = TLSKeyLog()
  if let length = rest.readInteger(as: UInt16.self) {
    keyLog.append(rest.readSlice(length: min(Int(length), rest.readableBytes)) ?? ByteBuffer())
  }
  var decoder = TLSDecoder(keyLog: keyLog, fromStart: true)
  var bytesIn = 0
  var told = 0
  func drain() {
    while let event = decoder.next() {
      switch event {
      case .bytes(_, let bytes, _): told += bytes.readableBytes
      case .lost(_, let bytes, _): told += bytes
      default: break
      }
    }
  }
  var i = 0
  while let control = rest.readInteger(as: UInt16.self) {
    i += 1
    let direction = control >> 15 == 0 ? Direction.c2s : .s2c
    if control & 0x7fff == 0x7fff {
      decoder.gap(direction, 20 + i, at: moment(i))
    } else {
      let length = min(Int(control & 0x7fff), rest.readableBytes)
      bytesIn += length
      decoder.append(direction, rest.readSlice(length: length) ?? ByteBuffer(), at: moment(i))
    }
    drain()
  }
  decoder.end(.c2s, .fin, at: moment(i))
  decoder.end(.s2c, .fin, at: moment(i))
  drain()
  require(decoder.explained + told == bytesIn, "every byte is explained, told or lost")
}
