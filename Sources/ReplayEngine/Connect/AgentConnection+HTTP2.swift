import Basics
import NIOCore
import ReplayPlan
import Wire

/// Exchanges on an HTTP/2 connection: each is a stream, and its answer is put together for itself.
extension AgentConnection {
  func received(_ bytes: ByteBuffer, _ http2: HTTP2Wire) {
    http2.client.append(bytes)
    let now = worker.clock.now
    var told: [Agent] = []
    while !isOver, let event = http2.client.next() {
      switch event {
      case .head(let number, let status, let fields, _):
        http2.streams[number]?.answers.begin(status: status, fields: fields, at: now)
        deliver(number, http2, &told)
      case .data(let number, let bytes):
        http2.streams[number]?.answers.take(bytes, now)
        deliver(number, http2, &told)
      case .end(let number):
        http2.streams[number]?.answers.finish(isComplete: true, reusable: true, at: now)
        deliver(number, http2, &told)
      case .reset(let number, let wasRefused):
        guard let stream = http2.streams.removeValue(forKey: number) else { continue }
        if wasRefused { again(stream.job) } else { fail(stream) }
      case .failed: pool?.drop(self, failing: true)
      }
    }
    if !isOver {
      flush(http2)
      if !http2.client.isUsable {
        let queue = http2.queue
        http2.queue = []
        for job in queue { again(job) }
      }
      // After GOAWAY nothing new goes here: it is closed when its last answer has come.
      if !http2.client.isUsable, load == 0 { pool?.drop(self) }
    }
    for agent in told { agent.settle() }
  }

  private func deliver(_ number: Int, _ http2: HTTP2Wire, _ told: inout [Agent]) {
    guard let job = http2.streams[number]?.job else { return }
    if !told.contains(where: { $0 === job.agent }) { told.append(job.agent) }
    while let event = http2.streams[number]?.answers.next() {
      http2.streams[number]?.hasAnswer = true
      if case .end = event {
        http2.streams[number] = nil
        pool?.finished(job, on: self, reusable: true)
      }
      job.agent.received(job.transmission.exchange, event)
    }
  }

  /// A stream ended without an answer.
  func fail(_ stream: HTTP2Wire.Stream) {
    stream.job.agent.failed(stream.job.transmission.exchange, worker.clock.now)
  }

  /// The server did nothing for this request: it is sent again, once.
  func again(_ job: Job) {
    guard !job.isRepeated, !job.agent.isFinished, let pool else {
      return job.agent.failed(job.transmission.exchange, worker.clock.now)
    }
    var job = job
    job.isRepeated = true
    pool.sendAgain(job)
  }

  /// Cancels streams (RFC 9113 §5.4.2).
  func cancel(_ http2: HTTP2Wire, where isMeant: (Job) -> Bool) {
    for (number, stream) in http2.streams where isMeant(stream.job) {
      http2.streams[number] = nil
      http2.client.cancel(number)
    }
    flush(http2)
  }
}
