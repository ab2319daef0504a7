import Basics
import Wire

/// What every result is asked, found in one go.
struct ResultFacts {
  let result: RawJSON?
  private(set) var isError = false
  /// False when nothing in it looks like a task.
  private(set) var mayBeTask = false

  /// Looks at a message's result; O(1) for most.
  init(_ message: JSONRPCMessage) {
    result = message.content
    var isError = false
    var mayBeTask = false
    message.forEachMember { member, value in
      switch member {
      case .isError: isError = value.text == "true"
      case .task, .taskId: mayBeTask = true
      default: break
      }
    }
    self.isError = isError
    self.mayBeTask = mayBeTask
  }

  /// Looks at a result by itself; O(n).
  init(_ result: RawJSON) {
    self.result = result
    isError = result.member("isError")?.text == "true"
    mayBeTask = result.member("task") != nil || result.member("taskId") != nil
  }
}
