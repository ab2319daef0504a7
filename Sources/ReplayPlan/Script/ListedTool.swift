import Basics
import MCP

/// What a listing says of a tool, as far as a replay cares.
struct ListedTool: Sendable {
  /// Its name.
  var name: String
  /// `readOnlyHint`.
  var isReadOnly: Bool
  /// Arguments that headers repeat.
  var mirrors: [ScriptStep.Mirror]

  /// Reads an element of `tools`; `nil` when it has no name.
  init?(_ tool: JSONValue) {
    guard let name = tool["name"]?.string else { return nil }
    self.name = name
    isReadOnly = tool["annotations"]?["readOnlyHint"]?.bool == true
    mirrors = []
    ListedTool.collect(tool["inputSchema"], [.child("arguments")], &mirrors)
  }

  /// Annotations stand at properties of any depth.
  private static func collect(
    _ schema: JSONValue?, _ path: [ValuePath.Step], _ mirrors: inout [ScriptStep.Mirror]
  ) {
    for property in schema?["properties"]?.members ?? [] {
      let path = path + [.child(property.key)]
      if let name = property.value["x-mcp-header"]?.string, isToken(name) {
        mirrors.append(.init(name: name, path: ValuePath(steps: path)))
      }
      collect(property.value, path, &mirrors)
    }
  }

  /// A name that can end a field's name (RFC 9110 §5.6.2).
  private static func isToken(_ name: String) -> Bool {
    let marks = Set("!#$%&'*+-.^_`|~".utf8)
    return !name.isEmpty
      && name.utf8.allSatisfy { byte in
        marks.contains(byte) || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
          || (0x61...0x7a).contains(byte)
      }
  }
}
