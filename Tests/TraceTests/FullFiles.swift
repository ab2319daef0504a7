import Glibc
import Testing

/// Files that refuse to take more, as a full disk does. (Linux; what Glibc's module does not show is spelled out.)
enum FullFiles {
  @unsafe private typealias Create = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32

  /// Returns two descriptors of one file in memory that can't grow beyond `size` bytes (memfd_create(2)).
  static func sealed(size: Int) throws -> (writing: Int32, reading: Int32) {
    let (allowSealing, addSeals, sealGrow): (UInt32, Int32, Int32) = (2, 1033, 4)
    let found = unsafe dlsym(nil, "memfd_create")
    let symbol = try unsafe #require(found)
    let create = unsafe unsafeBitCast(symbol, to: Create.self)
    let descriptor = unsafe create("trace", allowSealing)
    let copy = dup(descriptor)
    let isReady = descriptor >= 0 && ftruncate(descriptor, size) == 0
    try #require(isReady)
    try #require(fcntl(descriptor, addSeals, sealGrow) == 0)
    return (descriptor, copy)
  }

  /// Returns the ends of a pipe that never blocks, and how many bytes it holds (pipe(7)).
  static func pipe() throws -> (reading: Int32, writing: Int32, capacity: Int) {
    let getSize: Int32 = 1032
    var ends: [Int32] = [0, 0]
    try #require(unsafe Glibc.pipe(&ends) == 0)
    try #require(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
    try #require(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
    return (ends[0], ends[1], Int(fcntl(ends[1], getSize)))
  }

  /// Reads until there is no more for now.
  static func drain(_ descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk.prefix(count)
    }
  }
}
