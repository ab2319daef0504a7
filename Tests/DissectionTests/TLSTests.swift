import Basics
import Capture
import Dissection
import Foundation
import NIOCore
import Packets
import TestKit
import Testing
import Trace
import Wire

private let names = [
  "tls13", "tls13-hello-retry", "tls13-resumed", "tls13-key-update", "tls13-early-data",
  "tls13-early-data-refused", "tls12-session-id", "tls12-ticket", "tls12-renegotiation", "tls10",
  "tls12-ecdhe-ecdsa-aes256-gcm-sha384", "tls12-ecdhe-ecdsa-chacha20-poly1305",
  "tls12-ecdhe-ecdsa-aes256-sha384-mac-first", "tls12-ecdhe-ecdsa-aes128-ccm8",
]

/// One exchange as the captures' truth has it.
private func said(_ method: String, _ target: String, _ status: Int?, _ body: String?) -> String {
  "\(method) \(target) \(status ?? 0) \(body ?? "-")"
}

/// What was said in a capture, in order.
private func truth(_ name: String) throws -> [String] {
  let text = try Fixture.text("tls/\(name).json")
  let json = try JSONSerialization.jsonObject(with: Data(text.utf8))
  let rows = try #require(json as? [[Any]])
  return try rows.map { row in
    said(
      try #require(row[0] as? String), try #require(row[1] as? String), row[2] as? Int,
      row[3] as? String)
  }
}

private func dissected(_ name: String, log: TLSKeyLog?) throws -> Dissected {
  let file = try CaptureFile(path: Fixture.path("tls/\(name).pcap"))
  var table = FlowTable()
  var events: [FlowEvent] = []
  while let item = try file.next() {
    guard case .frame(let frame) = item else { continue }
    table.append(frame)
    while let event = table.next() { events.append(event) }
  }
  table.finish()
  while let event = table.next() { events.append(event) }
  var options = DissectionOptions(redactor: nil)
  options.exchanges = true
  options.keyLog = log
  return Dissected(events, t0: try #require(events.first).time, options: options)
}

extension Dissected {
  fileprivate var said: [String] {
    events.compactMap { event in
      guard case .exchange(let line) = event else { return nil }
      return DissectionTests.said(
        line.method, line.target, line.status, line.response.sha256)
    }
  }

  fileprivate var closedConnections: [ConnectionLine] {
    events.compactMap {
      if case .connection(let line) = $0, line.closed != nil { line } else { nil }
    }
  }
}

struct `TLS connections` {
  @Test(arguments: names) func `give the exchanges that were held`(name: String) throws {
    let log = TLSKeyLog()
    log.append(ByteBuffer(string: try Fixture.text("tls/\(name).keys")))
    let trace = try dissected(name, log: log)
    #expect(trace.said.sorted() == (try truth(name)).sorted())
    #expect(trace.balances)
    #expect(trace.closedConnections.last?.content == .http1)
  }

  @Test(arguments: names) func `are counted by name without keys, and never as not HTTP`(
    name: String
  ) throws {
    let trace = try dissected(name, log: nil)
    #expect(trace.said == [])
    #expect(Set(trace.footer.loss.keys).isSubset(of: ["tls.undecryptable", "tls.alert[50]"]))
    #expect(trace.footer.loss["tls.undecryptable"]?.count == trace.closedConnections.count)
    #expect(trace.balances)
    #expect(trace.closedConnections.allSatisfy { $0.content == .opaque })
  }

  @Test func `tell version, name and protocol`() throws {
    let log = TLSKeyLog()
    log.append(ByteBuffer(string: try Fixture.text("tls/tls13.keys")))
    let want = JSONValue.object([
      .init("version", .string("1.3")), .init("sni", .string("mcp.example")),
      .init("alpn", .string("http/1.1")),
    ])
    #expect(try dissected("tls13", log: log).closedConnections.map(\.tls) == [want])
    #expect(try dissected("tls13", log: nil).closedConnections.map(\.tls) == [want])
  }
}
