import Basics

/// Text of method names without making it anew for each message: names longer than 15 bytes would be allocated each time.
enum MethodName {
  /// The longer names of all revisions.
  private static let known = [
    "notifications/progress", "notifications/message", "notifications/cancelled",
    "notifications/initialized", "notifications/tools/list_changed",
    "notifications/prompts/list_changed", "notifications/resources/list_changed",
    "notifications/resources/updated", "notifications/roots/list_changed",
    "notifications/tasks/status", "notifications/elicitation/complete", "resources/subscribe",
    "resources/unsubscribe", "resources/templates/list", "completion/complete",
    "sampling/createMessage", "elicitation/create", "subscriptions/listen",
  ]

  /// Returns the name in a JSON string; `nil` when the value is none.
  static func text(_ json: Span<UInt8>) -> String? {
    if json.count > 17, json[0] == 0x22 {
      let text = json.extracting(1..<json.count - 1)
      for name in known where name.utf8.count == text.count {
        if ByteScan.isEqual(name.utf8Span.span, text) { return name }
      }
    }
    return RawJSON.string(json)
  }
}
