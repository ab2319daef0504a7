import Basics
import NIOCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(5)))
struct `Random conversations` {
  @Test func `are recorded as what was heard and some of what was said`()
    async throws
  {
    let count = 60
    try await Stage.run { stage in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<count {
          let (client, server) = try await stage.connect(number)
          group.addTask {
            var random = SeededGenerator(seed: UInt64(number))
            let (clientScript, serverScript) = (Script(&random), Script(&random))
            async let asked = clientScript.play(on: client)
            async let answered = serverScript.play(on: server)
            let sent = await (c2s: asked, s2c: answered)
            let heard = try await (c2s: server.ending().bytes, s2c: client.ending().bytes)
            let flow = try await stage.tap.finished(number + 1)
            let (c2s, s2c) = (flow.bytes[.c2s] ?? sent.c2s, flow.bytes[.s2c] ?? sent.s2c)
            #expect(heard.c2s.isPrefix(of: c2s) && c2s.isPrefix(of: sent.c2s))
            #expect(heard.s2c.isPrefix(of: s2c) && s2c.isPrefix(of: sent.s2c))
            #expect(flow.isOrdered && flow.gaps == 0)
            if !clientScript.resets && !serverScript.resets {
              #expect(heard.c2s == sent.c2s && heard.s2c == sent.s2c)
              #expect(flow.endings == [.c2s: .fin, .s2c: .fin])
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }
}

/// What one side of a random conversation does: send pieces, then FIN or RST.
private struct Script: Sendable {
  let pieces: [ByteBuffer]
  let resets: Bool

  init(_ random: inout SeededGenerator) {
    pieces = (0..<Int.random(in: 0..<8, using: &random)).map { _ in
      random.bytes(8 * Int.random(in: 1..<4000, using: &random))
    }
    resets = Int.random(in: 0..<3, using: &random) == 0
  }

  /// Returns all that the script says, sent or not: the other side may end the connection first.
  func play(on peer: Peer) async -> ByteBuffer {
    do {
      for piece in pieces { try await peer.send(piece) }
      try await resets ? peer.reset() : peer.finish()
    } catch is ChannelError {
      // The other side has reset: what was to be sent stays what it is.
    } catch is IOError {
      // The same, noticed while writing.
    } catch {
      Issue.record(error)
    }
    return pieces.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
  }
}

extension ByteBuffer {
  fileprivate func isPrefix(of other: ByteBuffer) -> Bool {
    other.getSlice(at: other.readerIndex, length: readableBytes) == self
  }
}
