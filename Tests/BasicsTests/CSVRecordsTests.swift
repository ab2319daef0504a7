import Basics
import Testing

struct `CSV records` {
  @Test(arguments: [
    ("", []),
    ("a,b\n", [["a", "b"]]),
    ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
    ("\u{FEFF}a\n\n\nb\n", [["a"], ["b"]]),
    ("\"a,b\",\"c \"\"d\"\"\",\"\"", [["a,b", "c \"d\"", ""]]),
    ("\"a\nb\",c\n,\n", [["a\nb", "c"], ["", ""]]),
    ("\"\"\n", [[""]]),
    (#"a"b,c"#, [[#"a"b"#, "c"]]),
    ("a\rb", [["a\rb"]]),
  ]) func `are read`(text: String, fields: [[String]]) throws {
    #expect(try CSVRecords(text).records.map(\.fields) == fields)
  }

  @Test func `know their lines`() throws {
    #expect(try CSVRecords("a\n\n\"b\nc\"\nd").records.map(\.line) == [1, 3, 5])
  }

  @Test(arguments: [("a\n\"b\nc", 2), ("a\n\"b\"c", 2)]) func `are refused`(
    text: String, line: Int
  ) {
    #expect(throws: CSVRecords.SyntaxError.self) { try CSVRecords(text) }
    do {
      _ = try CSVRecords(text)
    } catch {
      #expect(error.line == line)
    }
  }
}
