import FuzzTargets
import Glibc
import NIOCore

/// libFuzzer's loop; `argc` and `argv` are its own options and folders.
@_silgen_name("LLVMFuzzerRunDriver")
@unsafe func runDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ testOneInput: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// The target that `FUZZ_TARGET` names.
enum Wanted {
  static let target: FuzzTarget = {
    let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
    if let target = FuzzTarget(rawValue: name) { return target }
    let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
    print("FUZZ_TARGET must be one of \(names)")
    exit(64)
  }()
}

var argc = CommandLine.argc
var argv = unsafe CommandLine.unsafeArgv
let status = unsafe runDriver(&argc, &argv) { bytes, count in
  // libFuzzer promises `count` bytes for the time of the call; they are copied.
  let input = unsafe ByteBuffer(bytes: UnsafeBufferPointer(start: bytes, count: count))
  Wanted.target.run(input)
  return 0
}
exit(status)
