import ReplayPlan
import Trace
import Wire

extension AgentTranscript {
  /// An HTTP exchange, or what a stdio server was told, until it is over.
  struct Exchange {
    var x: Int?
    var conn: Int
    var at: Int64
    var purpose: Transmission.Purpose
    var status: Int?
    var error: JSONRPCMessage?
    var notification: NotificationLine?
  }

  /// What a server said to a request, and how it came.
  struct Answer {
    var message: JSONRPCMessage
    var via: Via
    var x: Int?
    var conn: Int
  }
}
