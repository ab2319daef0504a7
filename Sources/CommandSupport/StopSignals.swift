import Dispatch
import Glibc
import Synchronization

/// SIGINT and SIGTERM as calls of a handler instead of the end of the process.
///
/// Theory: what the system calls writes a byte to a pipe, from which a thread reads when it gets round to it. So no signal is
/// missed, however early it comes; a signal source of Dispatch hears none before another thread registered it.
public struct StopSignals {
  private static let writing = Atomic<Int32>(-1)
  private let source: (any DispatchSourceRead)?

  /// Takes over both signals from now on. `handler` is called on any thread, once for each.
  public init(_ handler: @escaping @Sendable () -> Void) {
    var ends: [2 of Int32] = [-1, -1]
    var span = ends.mutableSpan
    // Two descriptors are what the call writes.
    let status = unsafe span.withUnsafeMutableBufferPointer { unsafe pipe($0.baseAddress) }
    guard status == 0 else {
      // Out of descriptors: the signals end the process, as they do by themselves.
      source = nil
      return
    }
    let reading = ends[0]
    for end in [reading, ends[1]] {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      // Neither a signal nor a thread ever waits for the other side.
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    StopSignals.writing.store(ends[1], ordering: .relaxed)
    let source = DispatchSource.makeReadSource(fileDescriptor: reading, queue: .global())
    source.setEventHandler {
      var byte: UInt8 = 0
      // There is one, or this would not be called; one is read.
      if unsafe read(reading, &byte, 1) == 1 { handler() }
    }
    source.resume()
    self.source = source
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        let saved = errno
        var byte: UInt8 = 1
        // Writes the local it is given; a pipe that is full says enough.
        _ = unsafe write(StopSignals.writing.load(ordering: .relaxed), &byte, 1)
        errno = saved
      }
    }
  }

  /// Calls the handler no more; the signals stay without effect.
  public func cancel() { source?.cancel() }
}
