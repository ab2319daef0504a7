import FuzzTargets
import Glibc
import NIOCore
import TestKit
import Testing

@Suite struct Seeds {
  @Test(arguments: FuzzTarget.allCases)
  func `are there for every target, and break no promise`(_ target: FuzzTarget) throws {
    let seeds = try Fixture.files(in: "Fuzz/seeds/\(target.rawValue)")
    #expect(!seeds.isEmpty)
    for seed in seeds { target.run(seed) }
  }

  @Test(arguments: FuzzTarget.allCases)
  func `with bytes changed at random break no promise`(_ target: FuzzTarget) throws {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("seeds \(target)"))
    let seeds = try Fixture.files(in: "Fuzz/seeds/\(target.rawValue)")
    // A promise that is broken ends the whole run.
    try #require(!seeds.isEmpty)
    for seed in seeds {
      for _ in 0..<40 {
        var bytes = Array(seed.readableBytesView.prefix(2000))
        for _ in 0..<Int.random(in: 1...8, using: &generator) where !bytes.isEmpty {
          let i = Int.random(in: 0..<bytes.count, using: &generator)
          switch Int.random(in: 0..<3, using: &generator) {
          case 0: bytes[i] = UInt8.random(in: 0...255, using: &generator)
          case 1: bytes.remove(at: i)
          default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &generator)], at: i)
          }
        }
        target.run(ByteBuffer(bytes: bytes))
      }
    }
  }
}
