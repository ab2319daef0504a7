import Glibc

/// One measured job: `body` does it `count` times and returns something that depends on the work done.
struct Benchmark {
  /// What it is, `stage: case`.
  var name: String
  /// Bytes that one item goes through; 0 where a rate says nothing.
  var bytes: Int
  var body: (_ count: Int) -> Int

  init(_ name: String, bytes: Int, _ body: @escaping (_ count: Int) -> Int) {
    self.name = name
    self.bytes = bytes
    self.body = body
  }

  /// Runs batches of at least 100 ms and prints the best of five: other jobs only ever add time.
  func run() {
    var count = 1
    var took = time(count)
    while took < 100_000_000 {
      count = max(count * 2, Int(Double(count) * 120_000_000 / Double(max(took, 1))))
      took = time(count)
    }
    for _ in 1..<5 { took = min(took, time(count)) }
    let perItem = Double(took) / Double(count)
    let rate = bytes > 0 ? padded(rounded(Double(bytes) / perItem * 1000), 10) + " MB/s" : ""
    print(name + padded(rounded(perItem), 56 - name.count) + " ns" + rate)
  }

  private func time(_ count: Int) -> Int64 {
    let start = now()
    let result = body(count)
    let end = now()
    // What was computed must be wanted, or it is not computed.
    if result == .min { print(result) }
    return end - start
  }

  private func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private func rounded(_ value: Double) -> String {
    value < 100 ? String(Double(Int(value * 10)) / 10) : String(Int(value))
  }

  private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
  }
}
