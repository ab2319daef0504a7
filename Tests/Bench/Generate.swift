import Glibc
import NIOCore
import TestKit

/// `bench generate [--mb N] [--mtu N] [--seed N] --out FILE`: writes a capture to measure with.
enum Generate {
  static func run(_ arguments: [String]) {
    var options = ["--mb": "500", "--mtu": "65535", "--seed": "1"]
    var rest = arguments[...]
    while let name = rest.popFirst(), let value = rest.popFirst() { options[name] = value }
    guard let path = options["--out"], let mb = options["--mb"].flatMap({ Int($0) }),
      let mtu = options["--mtu"].flatMap({ Int($0) }),
      let seed = options["--seed"].flatMap({ UInt64($0) })
    else { return print("usage: bench generate [--mb N] [--mtu N] [--seed N] --out FILE") }
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else { return print("cannot create \(path)") }
    defer { close(file) }
    var shape = TrafficShape()
    shape.mtu = mtu
    var generator = TrafficGenerator(shape, seed: seed)
    var chunk = ByteBuffer()
    while generator.bytes < mb * 1_000_000 {
      chunk.clear()
      generator.write(1 << 20, to: &chunk)
      guard writeAll(chunk, to: file) else { return print("cannot write \(path)") }
    }
    print("\(path): \(generator.bytes) bytes, \(generator.packets) packets")
  }

  private static func writeAll(_ bytes: ByteBuffer, to file: Int32) -> Bool {
    var rest = bytes
    while rest.readableBytes > 0 {
      let count = unsafe rest.withUnsafeReadableBytes {
        unsafe write(file, $0.baseAddress, $0.count)
      }
      guard count > 0 else { return false }
      rest.moveReaderIndex(forwardBy: count)
    }
    return true
  }
}
