import Foundation
public import NIOCore

/// Files beside the tests.
public enum Fixture {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Returns the path of a file in `Tests/Fixtures`.
  public static func path(_ name: String) -> String {
    tests.appendingPathComponent("Fixtures/" + name).path
  }

  /// Returns the contents of the files in a folder of `Tests`, in the order of their names.
  public static func files(in folder: String) throws -> [ByteBuffer] {
    let folder = tests.appendingPathComponent(folder).path
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
      ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
    }
  }

  /// Returns the text of a fixture.
  public static func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }
}
