internal import Basics
internal import Dispatch
internal import Glibc
internal import NIOCore
public import Spawn
internal import Synchronization

/// Stands between a client and the stdio server that it believes to have started: passes every byte on and taps it.
///
/// Each direction has a thread that reads, leaves a copy in the hand-off, which never waits, and writes all of it. So nothing is
/// recorded before what it answers. An end is passed on the way it came: input that is over is closed for the server, and a
/// reader that is gone is gone for the writer too. The server's end is the end of all; a process that it left behind with its
/// output is heard for a moment more.
public final class StdioRelay: Sendable {
  /// How long output may still come when the server has ended, seconds.
  private static let patience = 1
  private static let pieceSize = 64 << 10

  private let child: ChildProcess
  private let handoff: Handoff
  private let flow: FlowID
  private let ended = Mutex<Set<Direction>>([])

  /// Takes over the pipes of `child`.
  public init(_ child: ChildProcess, handoff: Handoff) {
    self.child = child
    self.handoff = handoff
    flow = handoff.open(
      FlowEnds(process: Int(child.id), of: Int(getppid())), at: TapClock.shared.now())
  }

  /// Relays until the server has ended; blocks. Then everything was offered to the hand-off.
  public func run() -> ChildProcess.Ending {
    let output = DispatchSemaphore(value: 0)
    DispatchQueue(label: "input").async {
      let isReaderGone = self.pump(STDIN_FILENO, self.child.input, .c2s)
      close(self.child.input)
      if isReaderGone { StdioRelay.drop(STDIN_FILENO, O_RDONLY) }
      self.end(.c2s)
    }
    DispatchQueue(label: "output").async {
      let isReaderGone = self.pump(self.child.output, STDOUT_FILENO, .s2c)
      if isReaderGone { close(self.child.output) }
      StdioRelay.drop(STDOUT_FILENO, O_WRONLY)
      output.signal()
    }
    let ending = child.wait()
    _ = output.wait(timeout: .now() + .seconds(StdioRelay.patience))
    end(.s2c)
    end(.c2s)
    return ending
  }

  private func end(_ direction: Direction) {
    guard ended.withLock({ $0.insert(direction).inserted }) else { return }
    handoff.offer(.ended(flow, direction, .fin, at: TapClock.shared.now()))
  }

  /// Passes bytes on until there are no more; returns whether it was the reader who left.
  private func pump(_ source: Int32, _ sink: Int32, _ direction: Direction) -> Bool {
    var piece = [UInt8](repeating: 0, count: StdioRelay.pieceSize)
    while true {
      // Writes no more than the array's own bytes.
      let count = unsafe piece.withUnsafeMutableBytes {
        unsafe read(source, $0.baseAddress, $0.count)
      }
      if count < 0, StdioRelay.waits(source, POLLIN) { continue }
      guard count > 0 else { return false }
      let bytes = piece[..<count]
      handoff.offer(
        .bytes(flow, direction, ByteBuffer(bytes: bytes), at: TapClock.shared.now()))
      guard StdioRelay.write(bytes, to: sink) else { return true }
    }
  }

  /// Writes all; false when the reader left.
  private static func write(_ bytes: ArraySlice<UInt8>, to sink: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
      // Reads no more than the slice's own bytes.
      let count = unsafe bytes.dropFirst(written).withUnsafeBytes {
        unsafe Glibc.write(sink, $0.baseAddress, $0.count)
      }
      if count < 0, waits(sink, POLLOUT) { continue }
      guard count > 0 else { return false }
      written += count
    }
    return true
  }

  /// After a call that failed: whether to try again, which is when a non-blocking descriptor was not ready or a signal came.
  private static func waits(_ descriptor: Int32, _ events: Int32) -> Bool {
    if errno == EINTR { return true }
    guard errno == EAGAIN else { return false }
    var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    // Reads and writes the one structure.
    return unsafe poll(&request, 1, -1) > 0 || errno == EINTR
  }

  /// Closes a standard descriptor for whoever is at its other end; its number stays taken.
  private static func drop(_ descriptor: Int32, _ mode: Int32) {
    let nothing = unsafe open("/dev/null", mode | O_CLOEXEC)
    if nothing >= 0 {
      dup2(nothing, descriptor)
      close(nothing)
    } else {
      close(descriptor)
    }
  }
}
