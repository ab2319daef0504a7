import Basics
import MCP
import NIOCore
import Testing
import Trace

/// What an answer gives to later requests.
struct `Value sources` {
  private func value(
    _ path: String, _ result: String, within: (String, String)? = nil, headers: HeaderFields = []
  ) throws -> String? {
    let source = ValueSource(
      path: try #require(ValuePath(path)),
      within: within.map { .init(before: $0.0, after: $0.1) })
    let result = try #require(RawJSON(validating: ByteBuffer(string: result)))
    return source.value(in: result, headers: headers)?.text
  }

  @Test(arguments: [
    ("made h-12, use it", "made ", ",", #""h-12""#), ("h-12 made", "", " ", #""h-12""#),
    ("made h-12", "made ", "", #""h-12""#), ("h-12", "", "", #""h-12""#),
    ("id=a id=b;", "id=", " ", #""a""#), ("a.b.c", "a.b.", "", #""c""#), ("aab;", "ab", ";", nil),
    ("made ", "made ", "", nil), ("made ,", "made ", ",", nil), ("mad", "made ", ",", nil),
    ("x: ü\n", "x: ", "\n", #""ü""#), (#"say \"q\" now"#, "say \"", "\"", #""q""#),
    ("aaaaaaab", "aaab", "", nil), ("aaaaaaabc", "aaab", "", #""c""#),
  ])
  func `a part of a text is what stands between its surroundings`(
    _ text: String, _ before: String, _ after: String, _ found: String?
  ) throws {
    let result = #"{"content":[{"type":"text","text":"\#(text.replacing("\n", with: "\\n"))"}]}"#
    #expect(try value("/content/0/text", result, within: (before, after)) == found)
  }

  @Test(
    arguments: [
      ("/structuredContent/id", #"{"content":[{"text":"{\"id\":7}"}]}"#, "7"),
      ("/content/0/text#/id", #"{"content":[],"structuredContent":{"id":7}}"#, "7"),
      ("/content/0/text#/id", #"{"structuredContent":{"result":"{\"id\":7}"}}"#, "7"),
      ("/content/0/text#/1/id", #"{"structuredContent":{"result":[0,{"id":7}]}}"#, "7"),
      ("/content/0/text", #"{"structuredContent":{"result":"h"}}"#, #""h""#),
      ("/structuredContent/result", #"{"content":[{"text":"h"}]}"#, #""h""#),
      ("/structuredContent/result#/id", #"{"content":[{"text":"{\"id\":7}"}]}"#, "7"),
      ("/structuredContent/result/1", #"{"content":[{"text":"[1,2]"}]}"#, "2"),
      ("/structuredContent/result/id", #"{"content":[{"text":"{\"result\":{\"id\":7}}"}]}"#, "7"),
      (
        "/structuredContent/id",
        #"{"structuredContent":{"id":null},"content":[{"text":"{\"id\":7}"}]}"#, nil
      ),
      ("/structuredContent/id", #"{"content":[{"text":"none"}]}"#, nil),
      ("/content/1/text#/id", #"{"structuredContent":{"id":7}}"#, nil),
      ("/contents/0/uri", "{}", nil),
    ] as [(String, String, String?)])
  func `what one server says in a text another says in structuredContent`(
    _ path: String, _ result: String, _ found: String?
  ) throws {
    #expect(try value(path, result) == found)
  }

  @Test func `a header gives its value as a string`() throws {
    let headers: HeaderFields = [HeaderField("X-Job", "j-77; v=1")]
    #expect(try value("/headers/x-job", "{}", headers: headers) == #""j-77; v=1""#)
    #expect(try value("/headers/X-JOB", "{}", within: ("", ";"), headers: headers) == #""j-77""#)
    #expect(try value("/headers/x-other", "{}", headers: headers) == nil)
    #expect(try value("/headers/x", #"{"headers":{"x":"of the result"}}"#) == #""of the result""#)
  }
}
