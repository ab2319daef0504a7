import Foundation

/// Runs an executable of this package as a user would.
public enum Program {
  /// What a run left behind.
  public struct Result: Hashable, Sendable {
    /// Exit code.
    public let status: Int32
    /// Standard output.
    public let output: String
    /// Standard error.
    public let errors: String

    /// Describes a run.
    public init(status: Int32, output: String, errors: String) {
      self.status = status
      self.output = output
      self.errors = errors
    }
  }

  /// Runs `name` from the directory of the test bundle, or what is at a path from the root, and waits for its end. Output goes through files, so no
  /// pipe can fill up; `outputTo` names another file for it.
  public static func run(
    _ name: String, _ arguments: [String], outputTo file: String? = nil
  ) throws -> Result {
    try TemporaryFile.with(suffix: ".out") { output in
      try TemporaryFile.with(suffix: ".err") { errors in
        let process = Process()
        process.executableURL =
          name.hasPrefix("/") ? URL(fileURLWithPath: name) : directory.appendingPathComponent(name)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: file ?? output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        process.waitUntilExit()
        return Result(
          status: process.terminationStatus,
          output: try String(contentsOfFile: output, encoding: .utf8),
          errors: try String(contentsOfFile: errors, encoding: .utf8))
      }
    }
  }

  /// The path of an executable of this package.
  public static func path(_ name: String) -> String {
    directory.appendingPathComponent(name).path
  }

  /// Where SwiftPM puts what it builds: the directory of the test bundle.
  private static var directory: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  }
}
