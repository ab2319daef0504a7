import Foundation

/// A file with a name of its own that lives as long as a closure.
public enum TemporaryFile {
  /// Writes `text` to a new file, calls `body` with its path, and removes it.
  public static func with<Result>(
    _ text: String = "", suffix: String = ".mcptrace", _ body: (_ path: String) throws -> Result
  ) throws -> Result {
    let name = "mcp-traffic-\(UUID().uuidString)\(suffix)"
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(name)
    try Data(text.utf8).write(to: url)
    defer { unsafe unlink(url.path) }
    return try body(url.path)
  }
}
