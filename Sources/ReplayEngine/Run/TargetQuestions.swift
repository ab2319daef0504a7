import Basics
import Glibc
import NIOCore
import NIOPosix
public import ReplayPlan
import Spawn
import Wire

/// Asks a target which revisions it speaks, before a run.
public enum TargetQuestions {
  /// Longest wait for an answer; a stdio server has to be started first.
  private static let patience: TimeAmount = .seconds(5)
  private static let processPatience: TimeAmount = .seconds(15)

  /// Returns what the target says for the sessions of `traffic`; nothing when it cannot be reached or does not answer in time.
  ///
  /// - Throws: `TargetUnreachable` when it cannot be reached at all.
  public static func ask(
    _ traffic: RecordedTraffic, target: ReplayTarget, connect: ConnectOptions = ConnectOptions()
  ) async throws -> SpokenRevisions {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      let negotiation = Negotiation(traffic, target)
      let spoken =
        target.command == nil
        ? try await overHTTP(negotiation, Dialer(target, connect), group)
        : try await overPipes(negotiation, target.command ?? [], group)
      try await group.shutdownGracefully()
      return spoken
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
  }

  private static func overHTTP(
    _ negotiation: Negotiation, _ dialer: Dialer, _ group: MultiThreadedEventLoopGroup
  ) async throws -> SpokenRevisions {
    var negotiation = negotiation
    var dialer = dialer
    try await dialer.check(group)
    let (isHTTP2, isSecure) = (dialer.isHTTP2, dialer.isSecure)
    let loop = group.next()
    while let question = negotiation.next() {
      let promise = loop.makePromise(of: Negotiation.Answer.self)
      let late = loop.scheduleTask(in: patience) { promise.succeed(Negotiation.Answer()) }
      dialer
        .connect(dialer.bootstraps(loop, timeout: patience)[0]) { channel in
          if isHTTP2 {
            let server = AnsweringStream(question, promise, isSecure: isSecure)
            try channel.pipeline.syncOperations.addHandler(server)
          } else {
            try channel.pipeline.syncOperations.addHandler(AnsweringServer(question, promise))
          }
        }
        .whenFailure { _ in promise.succeed(Negotiation.Answer()) }
      negotiation.take(try await promise.futureResult.get())
      late.cancel()
    }
    return negotiation.spoken
  }

  /// One process answers all questions.
  private static func overPipes(
    _ negotiation: Negotiation, _ command: [String], _ group: MultiThreadedEventLoopGroup
  ) async throws -> SpokenRevisions {
    let child: ChildProcess
    do throws(ChildProcess.StartError) {
      child = try ChildProcess(command, isApart: true)
    } catch {
      return negotiation.spoken
    }
    var negotiation = negotiation
    let loop = group.next()
    let server = try await loop.submit { NIOLoopBound(AnsweringProcess(), eventLoop: loop) }.get()
    let channel = try await NIOPipeBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(server.value)
        }
      }
      .takingOwnershipOfDescriptors(input: child.output, output: child.input).get()
    while let question = negotiation.next() {
      let promise = loop.makePromise(of: Negotiation.Answer.self)
      let late = loop.scheduleTask(in: processPatience) { promise.succeed(Negotiation.Answer()) }
      loop.execute { server.value.ask(question, promise, channel) }
      negotiation.take(try await promise.futureResult.get())
      late.cancel()
    }
    channel.close(promise: nil)
    child.signal(SIGKILL)
    _ = child.wait()
    return negotiation.spoken
  }
}

/// One question over HTTP, on a connection of its own.
private final class AnsweringServer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let question: Negotiation.Question
  private let promise: EventLoopPromise<Negotiation.Answer>
  private var decoder = AnswerDecoder()
  private var answer = Negotiation.Answer()

  init(_ question: Negotiation.Question, _ promise: EventLoopPromise<Negotiation.Answer>) {
    self.question = question
    self.promise = promise
  }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(question.bytes), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data), at: 0)
    deliver(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    decoder.end(reset: false, at: 0)
    deliver(context)
    promise.succeed(answer)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func deliver(_ context: ChannelHandlerContext) {
    while let event = decoder.next() {
      if answer.take(event, to: question) { context.close(promise: nil) }
    }
  }
}

/// Questions to a stdio server, one after the other.
private final class AnsweringProcess: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var decoder = LineDecoder()
  private var waiting: (id: RawJSON?, promise: EventLoopPromise<Negotiation.Answer>)?
  private var hasEnded = false

  func ask(
    _ question: Negotiation.Question, _ promise: EventLoopPromise<Negotiation.Answer>,
    _ channel: any Channel
  ) {
    guard !hasEnded else { return promise.succeed(Negotiation.Answer()) }
    waiting = (question.id, promise)
    var line = question.bytes
    line.moveReaderIndex(to: line.writerIndex - question.bodyLength)
    line.writeInteger(UInt8(0x0a))
    channel.writeAndFlush(line, promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.append(unwrapInboundIn(data), at: Timestamp(nanoseconds: 0))
    while let event = decoder.next() {
      guard case .line(let text, _, _, _) = event else { continue }
      for message in JSONRPCPayload(text).messages {
        guard let waiting, message.id == waiting.id,
          message.kind == .result || message.kind == .error
        else { continue }
        var answer = Negotiation.Answer()
        if message.kind == .result { answer.result = message.content }
        if message.kind == .error { answer.error = message.content }
        self.waiting = nil
        waiting.promise.succeed(answer)
      }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    hasEnded = true
    waiting?.promise.succeed(Negotiation.Answer())
    waiting = nil
  }
}
