import Basics
import Capture
import Dispatch
import NIOCore
import Packets
import Testing

/// A batch of frames of `length` bytes, numbered from `first`.
private func batch(_ first: Int, _ count: Int, length: Int = 3) -> FrameBatch {
  var batch = FrameBatch(linkType: .ethernet)
  for i in first..<first + count {
    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: i), count: length)
    unsafe bytes.withUnsafeBytes {
      unsafe batch.append(
        $0, originalLength: length + 1, at: Timestamp(nanoseconds: Int64(i)))
    }
  }
  return batch
}

private func times(_ delivery: FrameQueue.Delivery) -> [Int64] {
  delivery.batches.flatMap { batch in (0..<batch.count).map { batch[$0].at.nanoseconds } }
}

struct `A batch of frames` {
  @Test func `gives them back as they were`() {
    let frames = (0..<3).map { batch(7, 3, length: 2)[$0] }.map(Decoded.Frame.init)
    #expect(
      frames == [
        .init([7, 7], length: 3, at: 7), .init([8, 8], length: 3, at: 8),
        .init([9, 9], length: 3, at: 9),
      ])
    #expect(batch(0, 0).count == 0)
    #expect(batch(0, 5, length: 1000).size >= 5000)
  }
}

@Suite(.timeLimit(.minutes(1)))
struct `The queue of a live capture` {
  @Test func `hands on batches in their order`() {
    let queue = FrameQueue()
    queue.offer(batch(0, 2))
    queue.offer(batch(2, 3))
    let delivery = queue.take(within: 0)
    #expect(times(delivery) == [0, 1, 2, 3, 4])
    #expect(delivery.queueDrops == 0)
    #expect(delivery.isLast == false)
    #expect(times(queue.take(within: 0)) == [])
  }

  @Test func `drops and counts what does not fit, and goes on when there is room`() {
    let queue = FrameQueue(capacity: 10_000)
    queue.offer(batch(0, 8, length: 1000))
    queue.offer(batch(8, 7, length: 1000))
    queue.offer(batch(15, 2, length: 1000))
    let first = queue.take(within: 0)
    #expect(times(first).count + first.queueDrops == 17)
    #expect(first.queueDrops > 0)
    queue.offer(batch(17, 2, length: 1000))
    let second = queue.take(within: 0)
    #expect(times(second) == [17, 18])
    #expect(second.queueDrops == 0)
  }

  @Test func `hands on the last counts of the interface`() {
    let queue = FrameQueue()
    var statistics = LiveStatistics()
    for drops in [3, 5] {
      statistics.kernelDrops = drops
      queue.report(statistics)
    }
    #expect(queue.take(within: 0).statistics?.kernelDrops == 5)
    #expect(queue.take(within: 0).statistics == nil)
  }

  @Test func `ends when it is closed and empty, and takes nothing more`() {
    let queue = FrameQueue()
    queue.offer(batch(0, 1))
    queue.close()
    queue.offer(batch(1, 1))
    let delivery = queue.take(within: 60_000)
    #expect(times(delivery) == [0])
    #expect(delivery.isLast)
    #expect(queue.take(within: 60_000).isLast)
  }

  @Test func `brings everything from one thread to another`() {
    let queue = FrameQueue()
    let count = 20_000
    DispatchQueue(label: "copying").async {
      for i in 0..<count / 4 {
        queue.offer(batch(i * 4, 4))
        if i % 1000 == 0 { queue.report(LiveStatistics()) }
      }
      queue.close()
    }
    var got: [Int64] = []
    var isOver = false
    while !isOver {
      let delivery = queue.take(within: 60_000)
      got += times(delivery)
      isOver = delivery.isLast
    }
    #expect(got == (0..<Int64(count)).map { $0 })
  }
}
