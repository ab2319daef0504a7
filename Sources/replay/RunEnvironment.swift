import Basics
import Glibc
import NIOCore

/// The machine that a run is made on.
enum RunEnvironment {
  /// Describes it as it is now: what else runs there is the load average of the last minute.
  static func describe(loops: Int) -> JSONValue {
    var name = utsname()
    // Fills in the struct it is given; the fields are C strings in fixed arrays.
    let known = unsafe uname(&name) == 0
    func text<T>(_ field: T) -> String {
      unsafe withUnsafeBytes(of: field) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    var load = 0.0
    // Fills in one number.
    let hasLoad = unsafe getloadavg(&load, 1) == 1
    return .object([
      .init("replay", .string(Replay.version)),
      .init("system", .string(known ? text(name.sysname) : "unknown")),
      .init("kernel", .string(known ? text(name.release) : "unknown")),
      .init("machine", .string(known ? text(name.machine) : "unknown")),
      .init("processors", .int(System.coreCount)), .init("loops", .int(loops)),
      .init("load_average_before", hasLoad ? .number("\((load * 100).rounded() / 100)") : .null),
    ])
  }
}
