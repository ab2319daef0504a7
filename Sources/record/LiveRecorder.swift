import ArgumentParser
import Basics
import Capture
import Dissection
import Glibc
import Wire

/// The thread that makes a trace of what an interface brings, while another does nothing but copy.
enum LiveRecorder {
  /// What the thread tells the command.
  enum Report: Sendable {
    case opened
    case failed(ExitCode)
    case finished(summary: [String], errno: Int32?)
  }

  /// How far the timers stay behind the clock when nothing comes: packets are on their way that long.
  private static let lag: Int64 = 1_000_000_000

  /// Drains `queue` until it is closed, reading the key logs as they grow. Blocks; reports twice, once when the trace
  /// cannot be created.
  static func run(
    _ queue: FrameQueue, _ settings: PacketRecording.Settings, keyLogs: [String],
    report: (Report) -> Void
  ) {
    var settings = settings
    let log = TLSKeyLog(mayGrow: true)
    let followers = keyLogs.map { KeyLogFollower($0, into: log) }
    if !followers.isEmpty { settings.dissection.keyLog = log }
    var packets = PacketRecording(settings)
    do throws(ExitCode) {
      try packets.open(at: now())
    } catch {
      return report(.failed(error))
    }
    packets.flush()
    report(.opened)
    var queueDrops = 0
    var statistics = LiveStatistics()
    var isOver = false
    while !isOver {
      let delivery = queue.take(within: 250)
      for follower in followers { follower.read() }
      for batch in delivery.batches {
        for i in 0..<batch.count { packets.append(batch[i]) }
      }
      if delivery.queueDrops > 0 {
        queueDrops += delivery.queueDrops
        packets.lose("capture.queue_drop", packets: delivery.queueDrops)
      }
      if let latest = delivery.statistics {
        tell(latest.kernelDrops - statistics.kernelDrops, "capture.kernel_drop", &packets)
        tell(latest.interfaceDrops - statistics.interfaceDrops, "capture.interface_drop", &packets)
        statistics = latest
      }
      packets.pause(at: now() + -lag)
      isOver = delivery.isLast
    }
    let errno = packets.close(met: [
      ("capture.interface_drop", statistics.interfaceDrops),
      ("capture.kernel_drop", statistics.kernelDrops), ("capture.queue_drop", queueDrops),
      ("capture.received", statistics.received),
    ])
    report(.finished(summary: packets.summary, errno: errno))
  }

  private static func tell(_ drops: Int, _ kind: String, _ packets: inout PacketRecording) {
    if drops > 0 { packets.lose(kind, packets: drops) }
  }

  /// The wall clock, which is what the kernel stamps packets with.
  private static func now() -> Timestamp {
    var time = timespec()
    // The call only writes the local it is given; it cannot fail for this clock.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}
