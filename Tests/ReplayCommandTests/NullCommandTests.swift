import Basics
import Foundation
import TestKit
import Testing

@Suite(.timeLimit(.minutes(3)))
struct `replay run --null` {
  private let trace = BundledCapture.path("parallel-three-agents.mcptrace")

  @Test func `shows the floor of the generator, and verifies the answers it gets`() throws {
    try TemporaryFile.with { summary in
      let result = try Program.run(
        "replay",
        [
          "run", trace, "--null", "--max-think", "50ms", "--max-lag", "1h", "--verify", "shape",
          "--verify-sample", "1", "--summary", summary,
        ])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("against a null server"))
      let text = try String(contentsOfFile: summary, encoding: .utf8)
      let value = try #require(JSONValue(parsing: text))
      #expect(value["success_ratio"]?.double == 1)
      #expect((value["cpu_us_per_call"]?.double ?? 0) > 0)
      #expect(value["verify"]?["mode"]?.string == "shape")
      #expect(value["verify"]?["checked"]?.int == value["sent"]?.int)
      #expect(value["verify"]?["different"]?.int == 0, "\(value["verify"]?.text ?? "")")
      #expect(value["options"]?["target"]?.string == "null server")
    }
  }

  @Test(arguments: [
    ["--null", "--target", "http://127.0.0.1:1/mcp"], [], ["--null", "--verify-ignore", "a"],
    ["--null", "--verify-sample", "110%"], ["--null", "--verify", "some"],
  ])
  func `wrong usage is refused`(_ arguments: [String]) throws {
    #expect(try Program.run("replay", ["run", trace] + arguments).status == 64)
  }
}
