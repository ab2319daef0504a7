import Dissection
import TestKit
import Testing

struct `A table of recent numbers` {
  @Test func `holds what a dictionary holds`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("recent table"))
    var table = RecentTable<Int>()
    var expected: [Int: Int] = [:]
    var next = 0
    for step in 0..<20_000 {
      if Int.random(in: 0..<10, using: &generator) < 6 {
        // Numbers in order, some left out, few put in again.
        next += Int.random(in: 0...3, using: &generator)
        table.insert(step, next)
        expected[next] = step
      } else if let key = expected.keys.randomElement(using: &generator) {
        // Most leave soon, some stay for long.
        guard key % 16 != 0 || step % 50 == 0 else { continue }
        #expect(table.remove(key) == expected.removeValue(forKey: key))
      }
      let key = Int.random(in: 0...next + 1, using: &generator)
      #expect(table[key] == expected[key])
    }
    #expect(table.remove(next + 1) == nil)
    #expect(table.keys.sorted() == expected.keys.sorted())
  }
}
