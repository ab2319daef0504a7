import Basics
import NIOCore
import ReplayPlan
import Wire

/// One question over HTTP/2, on a connection of its own.
final class AnsweringStream: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let question: Negotiation.Question
  private let promise: EventLoopPromise<Negotiation.Answer>
  private let isSecure: Bool
  private var client = HTTP2Client()
  private var answers = AnswerAssembly()
  private var answer = Negotiation.Answer()

  init(
    _ question: Negotiation.Question, _ promise: EventLoopPromise<Negotiation.Answer>,
    isSecure: Bool
  ) {
    self.question = question
    self.promise = promise
    self.isSecure = isSecure
  }

  func channelActive(context: ChannelHandlerContext) {
    let (fields, body) = HTTP2Wire.request(
      question.bytes, bodyLength: question.bodyLength, isSecure: isSecure)
    _ = client.request(fields, body: body)
    flush(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    client.append(unwrapInboundIn(data))
    while let event = client.next() {
      switch event {
      case .head(_, let status, let fields, _):
        answers.begin(status: status, fields: fields, at: 0)
      case .data(_, let bytes): answers.take(bytes, 0)
      case .end: answers.finish(isComplete: true, reusable: false, at: 0)
      case .reset, .failed: context.close(promise: nil)
      }
    }
    flush(context)
    while let event = answers.next() {
      if answer.take(event, to: question) { context.close(promise: nil) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) { promise.succeed(answer) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func flush(_ context: ChannelHandlerContext) {
    guard let bytes = client.output() else { return }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }
}

extension Negotiation.Answer {
  /// Takes part of an answer; true when that was all of interest.
  mutating func take(_ event: AnswerDecoder.Event, to question: Negotiation.Question) -> Bool {
    switch event {
    case .head(let status, let fields, _):
      self.status = status
      sessionID = fields.first("mcp-session-id")
      return false
    case .message(let message, _, _, _):
      // Errors without a status of success name no request.
      guard message.id == question.id || message.kind == .error else { return false }
      if message.kind == .result { result = message.content }
      if message.kind == .error { error = message.content }
      return true
    case .position, .endpoint: return false
    case .end, .garbage: return true
    }
  }
}
