import Basics
import MCP
import NIOCore

/// Which recorded values are replaced by others (`--map`): a target may have other data than the recorded server had.
///
/// It changes what the recording said; a value that the run's own answers give is taken from there all the same.
public struct ValueMap: Hashable, Sendable {
  /// One replacement.
  struct Rule: Hashable {
    var tool: ToolPattern
    var at: ValuePath
    /// The recorded value as text; `nil` for any.
    var from: String?
    var to: String
    /// Line of the file.
    var line: Int
  }

  /// Why a file is no map.
  public struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Line of the file, from 1.
    public var line: Int
    /// What is wrong, and what is wanted.
    public var reason: String
    /// Both as one sentence.
    public var description: String { "line \(line): \(reason)" }
  }

  private(set) var rules: [Rule] = []

  /// Creates a map that changes nothing.
  public init() {}

  /// Reads records of four fields: tool (a name with `*` and `?`), pointer into the params, recorded value (empty for any), value to
  /// send. A first line `tool,pointer,from,to` is a heading.
  ///
  /// - Throws: `FormatError`.
  public init(csv text: String) throws(FormatError) {
    let records: [CSVRecords.Record]
    do throws(CSVRecords.SyntaxError) {
      records = try CSVRecords(text).records
    } catch {
      throw FormatError(line: error.line, reason: "\(error.reason); see RFC 4180")
    }
    for (i, record) in records.enumerated() {
      if i == 0, record.fields == ["tool", "pointer", "from", "to"] { continue }
      guard record.fields.count == 4 else {
        throw FormatError(
          line: record.line,
          reason: "\(record.fields.count) fields, but tool,pointer,from,to are wanted")
      }
      guard let at = ValuePath(record.fields[1]), !at.steps.isEmpty else {
        throw FormatError(
          line: record.line,
          reason: "'\(record.fields[1])' is no JSON Pointer into the params, as /arguments/id is")
      }
      let from = record.fields[2]
      rules.append(
        Rule(
          tool: ToolPattern(record.fields[0]), at: at, from: from.isEmpty ? nil : from,
          to: record.fields[3], line: record.line))
    }
  }

  /// Number of replacements.
  public var count: Int { rules.count }

  /// Replaces in the params of a call; returns the lines of the rules that did. The first rule for a place holds.
  @discardableResult
  func apply(to step: inout ScriptStep) -> [Int] {
    guard !rules.isEmpty, let tool = step.tool, let params = step.params else { return [] }
    var places: [ParamsCut.Place] = []
    var lines: [Int] = []
    for rule in rules where rule.tool.matches(tool) {
      guard let recorded = rule.at.value(in: params),
        !places.contains(where: { $0.steps.elementsEqual(rule.at.steps) })
      else { continue }
      let said = recorded.string ?? recorded.text
      guard rule.from == nil || rule.from == said else { continue }
      let value = LiveValue(number: 0, recorded: recorded, isPart: false)
      places.append(
        .init(steps: rule.at.steps[...], piece: .text(value.bytes(RawJSON(.string(rule.to))))))
      lines.append(rule.line)
      mirror(rule, said, &step.headers)
      step.hidden.removeAll { $0.steps.starts(with: rule.at.steps) }
    }
    guard !places.isEmpty else { return [] }
    var text = ByteBuffer()
    for case .text(let piece) in ParamsCut.pieces(params, places) {
      text.writeImmutableBuffer(piece)
    }
    step.params = RawJSON(trusted: text)
    return lines
  }

  /// Says it in the header fields too that repeat the value (SEP-2243).
  private func mirror(_ rule: Rule, _ said: String, _ fields: inout [HeaderField]) {
    let prefix = "mcp-param-"
    let same = fields.indices.filter {
      fields[$0].name.lowercased().hasPrefix(prefix) && HeaderText.decoded(fields[$0].value) == said
    }
    let named = same.filter {
      guard case .child(let key)? = rule.at.steps.last else { return false }
      return MirroredFields.plain(key)
        == MirroredFields.plain(fields[$0].name.dropFirst(prefix.utf8.count))
    }
    for i in named.isEmpty ? same : named {
      fields[i] = HeaderField(fields[i].name, HeaderText.encoded(rule.to))
    }
  }

  /// The rules, by their lines, that match no call of a recording.
  public func unused(in traffic: RecordedTraffic) -> [Int] {
    var left = Set(rules.map(\.line))
    for step in traffic.scripts.lazy.flatMap(\.steps) {
      if left.isEmpty { break }
      var step = step
      left.subtract(apply(to: &step))
    }
    return left.sorted()
  }
}
