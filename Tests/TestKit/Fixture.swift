import Foundation

/// Files in `Tests/Fixtures`.
public enum Fixture {
  /// Returns the path of a fixture.
  public static func path(_ name: String) -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    return tests.appendingPathComponent("Fixtures/" + name).path
  }

  /// Returns the text of a fixture.
  public static func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }
}
