import Dispatch
import Glibc

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
