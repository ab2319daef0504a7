import Foundation

/// The checkout that these tests were built from, as text.
enum SourceTree {
  /// A file with its path from the root.
  struct File {
    var path: String
    var text: String

    /// Its lines, an empty last one left out.
    var lines: [Substring] {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      return lines.last?.isEmpty == true ? lines.dropLast() : lines
    }

    /// The names of the modules it imports.
    var imports: Set<String> {
      Set(
        lines.compactMap { line in
          guard let match = line.wholeMatch(of: /(?:[@\w()]+ )*import (?:\w+ )?([\w.]+)\s*/) else {
            return nil
          }
          return match.1.split(separator: ".").first.map(String.init)
        })
    }
  }

  static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The text of one file.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// The Swift files under a folder.
  static func swiftFiles(_ folder: String) throws -> [File] {
    try paths(folder).filter { $0.hasSuffix(".swift") }.map { File(path: $0, text: try text($0)) }
  }

  /// Every file of the checkout that is UTF-8, without what is built, fetched or version control's own.
  static func texts() throws -> [File] {
    try paths("").compactMap { path in
      let data = try Data(contentsOf: root.appendingPathComponent(path))
      return String(data: data, encoding: .utf8).map { File(path: path, text: $0) }
    }
  }

  /// Names of the folders directly inside a folder.
  static func folders(_ folder: String) throws -> Set<String> {
    Set(
      try paths(folder).compactMap { $0.split(separator: "/").dropFirst().first.map(String.init) })
  }

  private static func paths(_ folder: String) throws -> [String] {
    let base = root.appendingPathComponent(folder).path
    let skipped = [".build", ".git", ".venv", "__pycache__"]
    let found = try FileManager.default.subpathsOfDirectory(atPath: base)
    return found.filter { path in
      !path.split(separator: "/").contains { part in skipped.contains { part.hasPrefix($0) } }
    }.map { folder.isEmpty ? $0 : folder + "/" + $0 }.filter { path in
      var isFolder: ObjCBool = false
      let full = root.appendingPathComponent(path).path
      return unsafe FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted()
  }
}
