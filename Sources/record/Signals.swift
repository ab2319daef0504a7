import Dispatch
import Glibc
import Synchronization

/// Signals as something to wait for.
final class Signals {
  private let sources: [any DispatchSourceSignal]
  private let stream: AsyncStream<Int32>

  /// Takes over the handling of `numbers` from now on.
  init(_ numbers: [Int32]) {
    let (stream, continuation) = AsyncStream<Int32>.makeStream()
    self.stream = stream
    sources = numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { continuation.yield(number) }
      source.resume()
      return source
    }
  }

  /// Returns when the first of them comes.
  func first() async {
    for await _ in stream { return }
  }
}

/// A flag that SIGINT or SIGTERM raises, for work that runs in a loop; a second one ends the program as usual.
enum StopFlag {
  private static let raised = Atomic(false)

  /// Takes over the handling of both signals from now on.
  static func install() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        StopFlag.raised.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// True once a signal came.
  static var isRaised: Bool { raised.load(ordering: .relaxed) }
}
