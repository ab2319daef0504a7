import Basics
import NIOCore
import Proxy
import TestKit
import Testing

@Suite(.timeLimit(.minutes(5)))
struct `A relayed connection` {
  private let megabyte = 1 << 20

  @Test func `carries random bytes both ways unchanged and taps exactly those`() async throws {
    var random = SeededGenerator(seed: 1)
    let question = random.bytes(8 * megabyte)
    let answer = random.bytes(8 * megabyte)
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      async let asked: Void = client.send(
        question, inChunksUpTo: 60_000, using: SeededGenerator(seed: 2))
      async let answered: Void = server.send(
        answer, inChunksUpTo: 60_000, using: SeededGenerator(seed: 3))
      _ = try await (asked, answered)
      #expect(try await server.received(question.readableBytes) == question)
      #expect(try await client.received(answer.readableBytes) == answer)
      try await client.finish()
      try await server.finish()
      let flow = try await stage.tap.finished(1)
      #expect(flow.bytes == [.c2s: question, .s2c: answer])
      #expect(flow.endings == [.c2s: .fin, .s2c: .fin])
      #expect(flow.isOrdered && flow.gaps == 0)
    }
  }

  @Test func `taps single bytes in order`() async throws {
    var random = SeededGenerator(seed: 4)
    let bytes = random.bytes(2048)
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      try await client.send(bytes, inChunksUpTo: 1, using: random)
      #expect(try await server.received(bytes.readableBytes) == bytes)
      try await client.finish()
      try await server.finish()
      #expect(try await stage.tap.finished(1).bytes[.c2s] == bytes)
    }
  }

  @Test func `names the ends of a flow`() async throws {
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      try await client.finish()
      try await server.finish()
      #expect(
        try await stage.tap.finished(1).ends
          == FlowEnds(
            client: client.address, server: stage.address,
            upstream: stage.upstream.address))
    }
  }

  @Test func `passes on the client's FIN and still carries the answer`() async throws {
    var random = SeededGenerator(seed: 5)
    let question = random.bytes(megabyte)
    let answer = random.bytes(megabyte)
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      try await client.send(question)
      try await client.finish()
      let asked = try await server.ending()
      #expect(asked.ending == .fin)
      #expect(asked.bytes == question)
      try await server.send(answer)
      try await server.finish()
      let answered = try await client.ending()
      #expect(answered.ending == .fin)
      #expect(answered.bytes == answer)
      #expect(try await stage.tap.finished(1).endings == [.c2s: .fin, .s2c: .fin])
    }
  }

  @Test func `passes on the server's FIN and still carries what the client sends`() async throws {
    var random = SeededGenerator(seed: 6)
    let question = random.bytes(megabyte)
    let answer = random.bytes(megabyte)
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      try await server.send(answer)
      try await server.finish()
      let answered = try await client.ending()
      #expect(answered.ending == .fin)
      #expect(answered.bytes == answer)
      try await client.send(question)
      try await client.finish()
      let asked = try await server.ending()
      #expect(asked.ending == .fin)
      #expect(asked.bytes == question)
      #expect(try await stage.tap.finished(1).endings == [.c2s: .fin, .s2c: .fin])
    }
  }

  @Test func `delivers everything to a reader who starts after both sides have finished`()
    async throws
  {
    var random = SeededGenerator(seed: 7)
    let answer = random.bytes(8 * megabyte)
    try await Stage.run { stage in
      let (client, server) = try await stage.connect(isReading: false)
      try await client.finish()
      #expect(try await server.ending().ending == .fin)
      async let sent: Void = {
        try await server.send(answer)
        try await server.finish()
      }()
      try await client.startReading()
      try await sent
      let answered = try await client.ending()
      #expect(answered.ending == .fin)
      #expect(answered.bytes == answer)
    }
  }

  @Test func `passes on the client's RST`() async throws {
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      try await client.send(ByteBuffer(string: "half a request"))
      #expect(try await server.received(14) == ByteBuffer(string: "half a request"))
      try await client.reset()
      #expect(try await server.ending().ending == .reset)
      let flow = try await stage.tap.finished(1)
      #expect(flow.bytes[.c2s] == ByteBuffer(string: "half a request"))
      #expect(flow.endings == [.c2s: .reset, .s2c: .reset])
    }
  }

  @Test func `passes on the RST of a server that is gone in mid-stream`() async throws {
    var random = SeededGenerator(seed: 8)
    let answer = random.bytes(100_000)
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      try await server.send(answer)
      #expect(try await client.received(answer.readableBytes) == answer)
      try await server.reset()
      let answered = try await client.ending()
      #expect(answered.ending == .reset)
      #expect(answered.bytes == answer)
      let flow = try await stage.tap.finished(1)
      #expect(flow.bytes[.s2c] == answer)
      #expect(flow.endings == [.c2s: .reset, .s2c: .reset])
    }
  }

  @Test func `passes on a RST that follows a FIN`() async throws {
    try await Stage.run { stage in
      let (client, server) = try await stage.connect()
      try await client.finish()
      #expect(try await server.ending().ending == .fin)
      try await server.reset()
      #expect(try await client.ending().ending == .reset)
      #expect(try await stage.tap.finished(1).endings == [.c2s: .fin, .s2c: .reset])
    }
  }

  @Test func `carries what a client sent and finished before the upstream was connected`()
    async throws
  {
    var random = SeededGenerator(seed: 9)
    let question = random.bytes(4096)
    // A name takes a resolver's time, during which the bytes and the FIN arrive.
    try await Stage.run(upstreamHost: "localhost") { stage in
      for number in 0..<20 {
        let client = try await Peer.dial(stage.address)
        try await client.send(question)
        try await client.finish()
        let server = try await stage.upstream.connection(number)
        let asked = try await server.ending()
        #expect(asked.ending == .fin)
        #expect(asked.bytes == question)
        try await server.finish()
        #expect(try await client.ending().ending == .fin)
        #expect(try await stage.tap.finished(number + 1).bytes[.c2s] == question)
      }
    }
  }

  @Test func `carries many connections at once`() async throws {
    let count = 200
    try await Stage.run { stage in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<count {
          group.addTask {
            var random = SeededGenerator(seed: UInt64(number))
            let bytes = random.bytes(20_000)
            let client = try await Peer.dial(stage.address)
            try await client.send(bytes, inChunksUpTo: 5000, using: random)
            try await client.finish()
            let echoed = try await client.ending()
            #expect(echoed.ending == .fin)
            #expect(echoed.bytes == bytes)
          }
          group.addTask {
            let server = try await stage.upstream.connection(number)
            try await server.send(try await server.ending().bytes)
            try await server.finish()
          }
        }
        try await group.waitForAll()
      }
      let flows = try await stage.tap.flows.wait { flows in
        flows.count == count && flows.values.allSatisfy { $0.endings.count == 2 }
      }
      #expect(Set(flows.keys) == Set((1...count).map { FlowID($0) }))
      #expect(flows.values.allSatisfy { $0.bytes[.c2s] == $0.bytes[.s2c] && $0.isOrdered })
      #expect(stage.proxy.counts.accepted == count)
    }
  }

  @Test func `stops reading from a sender whose reader is slow`() async throws {
    var random = SeededGenerator(seed: 10)
    let question = random.bytes(64 * megabyte)
    // One loop, so that an answer on another connection proves that the loop has been round.
    try await Stage.run(upstreamIsReading: false, eventLoops: 1) { stage in
      let (client, server) = try await stage.connect()
      async let sent: Void = client.send(question)

      let (probe, _) = try await stage.connect(1)
      var tapped = -1
      var stableRounds = 0
      var probed = 0
      while stableRounds < 20 {
        try await probe.send(ByteBuffer(string: "."))
        probed += 1
        let count = probed
        let flows = try await stage.tap.flows.wait {
          $0[FlowID(2)]?.bytes[.c2s]?.readableBytes == count
        }
        let seen = flows[FlowID(1)]?.bytes[.c2s]?.readableBytes ?? 0
        stableRounds = seen == tapped ? stableRounds + 1 : 0
        tapped = seen
      }
      // What the kernel buffers on both legs, and the proxy's own water mark, is all that can be under way.
      #expect(tapped > 0 && tapped < 32 * megabyte)

      try await server.startReading()
      try await sent
      #expect(try await server.received(question.readableBytes) == question)
    }
  }
}
