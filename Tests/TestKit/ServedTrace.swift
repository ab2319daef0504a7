import Foundation

/// `replay serve` on a port of its own, from the line that says where it listens to its end.
public struct ServedTrace {
  /// Where it listens.
  public let port: Int
  private let process: Process
  private let errors: FileHandle

  /// It said something else first.
  public struct NoPort: Error {
    /// What it said.
    public let line: String
  }

  /// Serves a trace; `--listen` is among the arguments.
  public init(_ trace: String, _ arguments: [String] = ["--listen", "127.0.0.1:0"]) throws {
    let pipe = Pipe()
    process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("replay")
    process.arguments = ["serve", trace] + arguments
    process.standardError = pipe
    try process.run()
    errors = pipe.fileHandleForReading
    var line = ""
    while !line.hasSuffix("\n"), let byte = try errors.read(upToCount: 1), !byte.isEmpty {
      line += String(decoding: byte, as: UTF8.self)
    }
    let found = line.firstMatch(of: #/listening on http://127\.0\.0\.1:(\d+)/mcp: /#)
    guard let found, let port = Int(found.1) else { throw NoPort(line: line) }
    self.port = port
  }

  /// Asks it to stop; returns its exit code and what it said since.
  public func stop(_ signal: Int32 = 15) throws -> (status: Int32, said: String) {
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    let rest = try errors.readToEnd() ?? Data()
    return (process.terminationStatus, String(decoding: rest, as: UTF8.self))
  }
}
