import Basics
import Testing

struct `Flow vocabulary` {
  @Test(arguments: [
    (Endpoint(host: "127.0.0.1", port: 80), "127.0.0.1:80"),
    (Endpoint(host: "::1", port: 8080), "[::1]:8080"), (Endpoint(host: "", port: 0), ":0"),
  ])
  func `writes an endpoint as the trace does`(_ endpoint: Endpoint, _ text: String) {
    #expect(endpoint.description == text)
  }

  @Test func `names directions and turns them round`() {
    #expect(Direction.c2s.reversed == .s2c)
    #expect(Direction.s2c.reversed == .c2s)
    #expect([Direction.c2s.name, Direction.s2c.name] == ["c2s", "s2c"])
  }

  @Test func `orders flows by number`() {
    #expect(FlowID(2) < FlowID(10))
  }
}
