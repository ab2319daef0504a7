import Analysis
import Basics
import Testing

struct `JSON Schema` {
  struct Case: Sendable, CustomTestStringConvertible {
    let schema: String
    let value: String
    let failure: String?
    var testDescription: String { "\(value) against \(schema)" }

    init(_ schema: String, _ value: String, _ failure: String? = nil) {
      self.schema = schema
      self.value = value
      self.failure = failure
    }
  }

  @Test(arguments: [
    Case(#"{}"#, #"{"a":1}"#),
    Case(#"{"type":"string"}"#, #""a""#),
    Case(#"{"type":"string"}"#, "1", "is not string"),
    Case(#"{"type":["string","null"]}"#, "null"),
    Case(#"{"type":["string","null"]}"#, "true", "is not string or null"),
    Case(#"{"type":"integer"}"#, "-3"),
    Case(#"{"type":"integer"}"#, "1.5", "is not integer"),
    Case(#"{"type":"number"}"#, "1.5"),
    Case(#"{"const":1}"#, "1"),
    Case(#"{"const":1}"#, "2", "is not 1"),
    Case(#"{"enum":["a","b"]}"#, #""b""#),
    Case(#"{"enum":["a","b"]}"#, #""c""#, "is none of a, b"),
    Case(#"{"minimum":0,"maximum":1}"#, "1"),
    Case(#"{"minimum":0,"maximum":1}"#, "-1", "is less than 0"),
    Case(#"{"minimum":0,"maximum":1}"#, "1.5", "is more than 1"),
    Case(#"{"pattern":"^[0-9]+Z$"}"#, #""12Z""#),
    Case(#"{"pattern":"^[0-9]+Z$"}"#, #""12""#, "does not match ^[0-9]+Z$"),
    Case(#"{"properties":{"a":{"type":"null"}}}"#, #"{"b":1}"#),
    Case(#"{"properties":{"a":{"type":"null"}}}"#, #"{"a":1}"#, "'/a' is not null"),
    Case(#"{"properties":{"a/~":{"type":"null"}}}"#, #"{"a/~":1}"#, "'/a~1~0' is not null"),
    Case(#"{"additionalProperties":{"type":"integer"}}"#, #"{"b":"x"}"#, "'/b' is not integer"),
    Case(#"{"required":["a","b"]}"#, #"{"a":1,"b":null}"#),
    Case(#"{"required":["a","b"]}"#, #"{"a":1}"#, "lacks the required key 'b'"),
    Case(#"{"items":{"type":"integer"}}"#, "[1,2]"),
    Case(#"{"items":{"type":"integer"}}"#, #"[1,"2"]"#, "'/1' is not integer"),
    Case(#"{"prefixItems":[{"type":"string"}],"items":{"type":"null"}}"#, #"["a",null]"#),
    Case(
      #"{"prefixItems":[{"type":"string"}],"items":{"type":"null"}}"#, "[1]", "'/0' is not string"),
    Case(#"{"minItems":1,"maxItems":2}"#, "[]", "has 0 elements"),
    Case(#"{"minItems":1,"maxItems":2}"#, "[1,2,3]", "has 3 elements"),
    Case(#"{"not":{"const":1}}"#, "2"),
    Case(#"{"not":{"const":1}}"#, "1", "is not allowed"),
    Case(#"{"anyOf":[{"const":1},{"const":2}]}"#, "2"),
    Case(#"{"anyOf":[{"const":1},{"const":2}]}"#, "3", "is not 1"),
    Case(#"{"oneOf":[{"const":1},{"type":"integer"}]}"#, "2"),
    Case(#"{"oneOf":[{"const":1},{"type":"integer"}]}"#, "1", "fits more than one alternative"),
    Case(##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"null"}}}"##, "null"),
    Case(##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"null"}}}"##, "1", "is not null"),
    Case(
      #"{"oneOf":[{"properties":{"type":{"const":"a"}}},{"properties":{"type":{"const":"b"}},"required":["n"]}]}"#,
      #"{"type":"b"}"#, "lacks the required key 'n'"),
  ])
  func `checks a value`(example: Case) throws {
    let schema = try JSONSchema(try #require(JSONValue(parsing: example.schema)))
    let failure = schema.check(try #require(JSONValue(parsing: example.value)))
    #expect(failure?.description == example.failure)
  }

  @Test(arguments: [
    (#"{"minLength":3}"#, "minLength"), (#"{"items":{"format":"date"}}"#, "format"),
    (##"{"$ref":"#/$defs/gone"}"##, "$ref"), (#"{"type":"text"}"#, "type"),
    (#"{"pattern":"("}"#, "pattern"),
  ])
  func `refuses a schema that it does not understand`(text: String, keyword: String) throws {
    let schema = try #require(JSONValue(parsing: text))
    do {
      _ = try JSONSchema(schema)
      Issue.record("accepted")
    } catch {
      #expect(error.keyword == keyword)
    }
  }
}
