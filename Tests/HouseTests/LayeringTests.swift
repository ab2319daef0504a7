import Foundation
import Testing

/// The layers, and what each target may import besides what all may.
struct `Layering` {
  struct Layer {
    var row: Int
    var imports: Set<String>
  }

  /// A target imports from rows above its own, and only what is listed here.
  static let layers: [String: Layer] = [
    "Basics": Layer(row: 0, imports: ["NIOCore"]),
    "Wire": Layer(
      row: 1,
      imports: [
        "Basics", "NIOCore", "NIOHPACK", "CBrotli", "CZlib", "CZstd", "Crypto", "CryptoExtras",
      ]),
    "Packets": Layer(row: 1, imports: ["Basics", "NIOCore"]),
    "Trace": Layer(row: 1, imports: ["Basics", "NIOCore", "CZstd"]),
    "Spawn": Layer(row: 1, imports: []),
    "MCP": Layer(row: 2, imports: ["Basics", "NIOCore", "Wire", "Trace"]),
    "Redaction": Layer(row: 2, imports: ["Basics", "NIOCore", "Trace", "Crypto"]),
    "Dissection": Layer(
      row: 3, imports: ["Basics", "NIOCore", "Wire", "MCP", "Redaction", "Trace", "Crypto"]),
    "Analysis": Layer(row: 3, imports: ["Basics", "NIOCore", "Trace", "MCP", "Histogram"]),
    "ReplayPlan": Layer(
      row: 3,
      imports: ["Basics", "NIOCore", "Trace", "MCP", "Redaction", "Wire", "Crypto", "HeapModule"]),
    "Report": Layer(row: 4, imports: ["Basics", "Trace", "Analysis", "ReplayPlan"]),
    "Capture": Layer(
      row: 4, imports: ["Basics", "NIOCore", "Packets", "CPcap", "CZlib", "CZstd", "Dispatch"]),
    "Proxy": Layer(
      row: 4,
      imports: ["Basics", "Wire", "Spawn", "NIOCore", "NIOPosix", "DequeModule", "Dispatch"]),
    "ReplayEngine": Layer(
      row: 4,
      imports: [
        "Basics", "NIOCore", "Trace", "MCP", "Redaction", "Wire", "Spawn", "ReplayPlan",
        "NIOPosix", "NIOSSL", "NIOTLS", "Histogram",
      ]),
    "CommandSupport": Layer(
      row: 4, imports: ["Trace", "Redaction", "Dissection", "ArgumentParser", "Dispatch"]),
    "MockServer": Layer(
      row: 4, imports: ["Basics", "NIOCore", "Trace", "MCP", "Wire", "ReplayPlan", "NIOPosix"]),
  ]

  static let executables: Set<String> = ["record", "replay", "trace"]
  static let everywhere: Set<String> = ["Glibc", "Synchronization"]
  static let systemLibraries: Set<String> = ["CBrotli", "CMalloc", "CPcap", "CZlib", "CZstd"]

  /// What a target may import.
  static func allowed(_ target: String) -> Set<String>? {
    if let layer = layers[target] { return layer.imports.union(everywhere) }
    guard executables.contains(target) else { return nil }
    return Set(layers.keys).union(everywhere)
      .union(["NIOCore", "NIOPosix", "ArgumentParser", "CMalloc", "Dispatch", "Foundation"])
  }

  @Test func `every folder of the sources is a layer, an executable or a system library`() throws {
    let known = Set(Self.layers.keys).union(Self.executables).union(Self.systemLibraries)
    #expect(try SourceTree.folders("Sources") == known)
  }

  @Test func `targets import only what their layer lists`() throws {
    let files = try SourceTree.swiftFiles("Sources")
    #expect(files.count > 50)
    for file in files {
      let target = try #require(file.path.split(separator: "/").dropFirst().first.map(String.init))
      let allowed = try #require(Self.allowed(target), "\(target) is in no layer")
      let strays = file.imports.subtracting(allowed).sorted()
      #expect(strays.isEmpty, "\(file.path) imports \(strays)")
    }
  }

  @Test func `layers lean only on rows above them`() {
    for (target, layer) in Self.layers {
      for name in layer.imports {
        guard let other = Self.layers[name] else { continue }
        #expect(other.row < layer.row, "\(target) (row \(layer.row)) on \(name) (row \(other.row))")
      }
    }
  }

  @Test func `sockets, files and libpcap are in row 4 and below alone`() {
    for (target, layer) in Self.layers where layer.row < 4 {
      let strays = layer.imports.intersection(["NIOPosix", "CPcap", "Dispatch", "Foundation"])
      #expect(strays.isEmpty, "\(target)")
    }
  }

  @Test func `the package lists no more than the layers allow`() throws {
    let package = try SourceTree.text("Package.swift")
    let products = [
      "nioCore": "NIOCore", "nioHPACK": "NIOHPACK", "nioPosix": "NIOPosix", "crypto": "Crypto",
      "cryptoExtras": "CryptoExtras", "histogram": "Histogram",
      "heap": "HeapModule", "nioSSL": "NIOSSL", "nioTLS": "NIOTLS", "deque": "DequeModule",
      "arguments": "ArgumentParser",
    ]
    var seen: Set<String> = []
    for match in package.matches(of: /layer\(\s*"(\w+)",\s*\[([^\]]*)\]/) {
      let target = String(match.1)
      let names = match.2.split(separator: ",").map { name in
        let name = name.filter { !$0.isWhitespace && $0 != "\"" }
        return products[name] ?? name
      }.filter { !$0.isEmpty }
      let allowed = try #require(Self.allowed(target), "\(target) is in no layer")
      #expect(Set(names).subtracting(allowed).isEmpty, "\(target)")
      seen.insert(target)
    }
    #expect(seen == Set(Self.layers.keys))
  }

  @Test func `the README's table lists the same targets in the same rows`() throws {
    var rows: [String: Int] = [:]
    for line in try SourceTree.text("README.md").split(separator: "\n") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3, let row = Int(cells[0]) else { continue }
      for name in cells[1].split(separator: ",") {
        rows[name.trimmingCharacters(in: CharacterSet(charactersIn: " `"))] = row
      }
    }
    var expected = Self.layers.mapValues(\.row)
    for name in Self.executables { expected[name] = 5 }
    #expect(rows == expected)
  }
}
