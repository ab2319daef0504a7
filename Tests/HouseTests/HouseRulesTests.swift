import Foundation
import Testing

struct `House rules` {
  @Test func `no source file is longer than 400 lines`() throws {
    let long = try SourceTree.swiftFiles("Sources").filter { $0.lines.count > 400 }
    #expect(long.map { "\($0.path): \($0.lines.count)" } == [])
  }

  @Test(arguments: ["try?", "try!", " as! ", "TODO", "FIXME", "catch {}", "catch { }"])
  func `sources hide no errors and leave nothing undone`(_ sign: String) throws {
    var found: [String] = []
    for file in try SourceTree.swiftFiles("Sources") {
      for (i, line) in file.lines.enumerated() where line.contains(sign) {
        found.append("\(file.path):\(i + 1): \(line)")
      }
    }
    #expect(found == [])
  }

  @Test func `unchecked concurrency is in the hand-off alone`() throws {
    let files = try SourceTree.swiftFiles("Sources").filter { $0.text.contains("@unchecked") }
    #expect(Set(files.map(\.path)).isSubset(of: ["Sources/Proxy/Handoff.swift"]))
  }

  @Test func `tests go through what targets export`() throws {
    let word = "@" + "testable"
    let files = try SourceTree.swiftFiles("Tests").filter { $0.text.contains(word) }
    #expect(files.map(\.path) == [])
  }

  @Test func `every test file asserts something`() throws {
    let files = try SourceTree.swiftFiles("Tests").filter {
      !$0.text.matches(of: /@Test\b/).isEmpty
    }
    #expect(files.count > 20)
    for file in files {
      let tests = file.text.matches(of: /@Test\b/).count
      let claims = file.text.matches(of: /#expect|#require|expect\w*\(|Issue\.record/).count
      #expect(claims >= tests, "\(file.path): \(tests) tests, \(claims) claims")
    }
  }

  @Test func `nothing speaks of the machine it was written on`() throws {
    let places = ["work/", "hw/", "venv", "root/", "home/", "Users/"].map { "/" + $0 }
    var found: [String] = []
    for file in try SourceTree.texts() where !file.path.hasSuffix(".resolved") {
      for (i, line) in file.lines.enumerated() {
        guard let place = places.first(where: { isPath($0, in: line) }) else { continue }
        found.append("\(file.path):\(i + 1): \(place)")
      }
    }
    #expect(found == [])
  }

  /// Whether an absolute path that begins so stands in the line: not behind another part of a path or URL.
  private func isPath(_ place: String, in line: Substring) -> Bool {
    guard let range = line.range(of: place) else { return false }
    guard let before = line[..<range.lowerBound].last else { return true }
    return !before.isLetter && !before.isNumber && !"./-_:}".contains(before)
  }
}
