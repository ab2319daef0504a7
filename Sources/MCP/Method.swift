/// What the protocol says of a method by its name.
public enum Method {
  /// Opens a legacy session.
  public static let initialize = "initialize"
  /// Asks a 2026-07-28 server what it speaks.
  public static let discover = "server/discover"
  /// The one that agents live by.
  public static let toolsCall = "tools/call"
  /// Lists tools, page by page.
  public static let toolsList = "tools/list"
  /// Cancels a request of the sender.
  public static let cancelled = "notifications/cancelled"
  /// Reports progress of a request by its token.
  public static let progress = "notifications/progress"

  /// Methods that client libraries send unasked, or that poll and listen: they never start a turn.
  ///
  /// `tools/list` is not among them: hosts ask for it, and SDKs repeat it by themselves right after a call of an unlisted
  /// tool (mcp 1.30 and 2.3), which only the context tells.
  public static func isMachinery(_ method: String) -> Bool {
    switch method {
    // Most are this one.
    case toolsCall: false
    case initialize, discover, "ping", "logging/setLevel", "subscriptions/listen", "tasks/get",
      "tasks/result":
      true
    default: false
    }
  }
  /// Whether a client asks after a call that became a task.
  public static func isPoll(_ method: String) -> Bool {
    method == "tasks/get" || method == "tasks/result"
  }
}
