import Basics

/// What the protocol says in a payload, which `--payloads shape` keeps: the words that tell kinds of messages apart.
enum ShapeWords {
  /// Members whose value is a word of the protocol, when it is one of `words`.
  private static let keys: Set<String> = [
    "type", "role", "resultType", "status", "action", "level", "stopReason", "protocolVersion",
    "method", "mode", "taskSupport", "x-mcp-header",
  ]
  private static let words: Set<String> = [
    "text", "image", "audio", "resource", "resource_link", "tool_use", "tool_result", "user",
    "assistant", "complete", "input_required", "task", "working", "completed", "failed",
    "cancelled", "accept", "decline", "cancel", "form", "url", "required", "optional", "forbidden",
    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency", "endTurn",
    "stopSequence", "maxTokens", "object", "array", "string", "number", "integer", "boolean",
    "null",
    "elicitation/create", "sampling/createMessage", "roots/list", "ref/prompt", "ref/resource",
  ]

  /// Whether the value `text` of the member `key`, so many levels below the payload, is kept. `list` is the member that the
  /// enclosing list is of.
  static func keeps(
    _ text: String, key: String, list: String, depth: Int, part: PayloadPart, method: String
  ) -> Bool {
    if depth == 1 {
      switch (part, key) {
      case (.params, "name"): return method == "tools/call" || method == "prompts/get"
      case (.params, "requestId"), (.params, "progressToken"), (.error, "code"): return true
      case (_, "resultType"): return true
      default: break
      }
    }
    if key == "progressToken" || key == "x-mcp-header" { return true }
    if key == "protocolVersion" || key.hasSuffix("/protocolVersion") {
      return text.utf8.count == 10
    }
    // Names of a catalogue say no more than the calls' own.
    if part == .result, depth == 3, key == "name", list == "tools" || list == "prompts" {
      return method.hasSuffix("/list")
    }
    return keys.contains(key) && words.contains(text)
  }
}
