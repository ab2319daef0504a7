import Basics
import Capture
import Packets
import TestKit
import Testing

private func frames(_ type: LinkType) -> [CapturedFrame] {
  var script = TCPScript()
  script.handshake()
  script.send(.c2s, "ping")
  script.send(.s2c, "pong")
  var builder = PcapBuilder()
  builder.linkType = type
  return builder.frames(script.segments)
}

struct `A packet filter` {
  @Test(arguments: [LinkType.ethernet, .null, .loop, .raw, .ipv4, .linuxSLL, .linuxSLL2])
  func `keeps what it matches on every link type`(_ type: LinkType) throws {
    let filter = try PacketFilter("src port 80")
    #expect(try frames(type).map { try filter.matches($0) } == [false, true, false, false, true])
  }

  @Test func `is compiled for each of mixed link types`() throws {
    let filter = try PacketFilter("tcp dst port 80")
    for i in 0..<5 {
      for type in [LinkType.ethernet, .linuxSLL, .raw] {
        #expect(try filter.matches(frames(type)[i]) == [true, false, true, true, false][i])
      }
    }
  }

  @Test func `that does not compile is refused`() {
    let error = #expect(throws: CaptureError.self) { _ = try PacketFilter("tcp prot 80") }
    #expect(error?.what == .badFilter)
    #expect(error?.description.contains("tcp prot 80") == true)
  }

  @Test func `that cannot be for a link type says so when it comes`() throws {
    let filter = try PacketFilter("ether host 02:00:00:00:00:01")
    #expect(try filter.matches(frames(.ethernet)[0]))
    let error = #expect(throws: CaptureError.self) { try filter.matches(frames(.raw)[0]) }
    #expect(error?.what == .badFilter)
    #expect(error?.cause.contains("link type 101") == true)
  }
}
