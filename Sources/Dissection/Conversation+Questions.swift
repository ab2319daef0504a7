import Basics
import MCP
import NIOCore
import Trace
import Wire

/// A question of the server that a result asks without a state to echo (2026-07-28, `input_required`).
struct OpenQuestion {
  /// The request that it answered.
  var request: OpenRequest
  /// Keys of `inputRequests`.
  var keys: Set<String>

  init(_ request: OpenRequest, _ asked: RawJSON) {
    self.request = request
    keys = OpenQuestion.keys(asked)
  }

  static func keys(_ object: RawJSON) -> Set<String> {
    var keys: Set<String> = []
    object.forEachMember { key, _ in keys.insert(key) }
    return keys
  }
}

/// Rounds of one call: with a state to echo they are known by that, else by what they answer.
extension Conversation {
  /// What all rounds of a request of 2026-07-28 say alike; `nil` for those of other revisions.
  func said(_ message: JSONRPCMessage, _ facts: MessageFacts) -> UInt64? {
    guard facts.revision?.isStateless == true else { return nil }
    return ["arguments", "name", "uri"].reduce(0) { hash, key in
      guard let bytes = message.content?.member(key)?.bytes else { return hash }
      return hash &* 0x9e37_79b9_7f4a_7c15 ^ ByteScan.hash(bytes.readableBytesUInt8Span)
    }
  }

  /// The request whose question a request answers.
  func resumed(
    by message: JSONRPCMessage, _ facts: MessageFacts, said: UInt64?, _ session: SessionState
  ) -> OpenRequest? {
    if let state = facts.requestState { return session.requestStates[state] }
    guard let said, !session.questions.isEmpty,
      let responses = message.content?.member("inputResponses")
    else { return nil }
    let keys = OpenQuestion.keys(responses)
    let place = session.questions.lastIndex { question in
      question.keys == keys && question.request.method == message.method
        && question.request.tool == facts.tool && question.request.said == said
    }
    return place.map { session.questions.remove(at: $0).request }
  }

  /// Notes that a result asks for something, with no state to echo.
  func noteQuestion(
    _ message: JSONRPCMessage, _ result: ResultFacts, of request: OpenRequest,
    _ session: SessionState
  ) {
    guard request.said != nil, result.requestState == nil, !message.isStructured,
      let content = message.content, content.member("resultType")?.string == "input_required",
      let asked = content.member("inputRequests")
    else { return }
    session.ask(OpenQuestion(request, asked))
  }
}
