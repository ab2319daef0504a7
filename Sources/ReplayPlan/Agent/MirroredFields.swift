import Basics
import MCP
import NIOCore

/// SEP-2243: what the body says is mirrored in headers, and servers refuse a difference.
///
/// Theory: which argument a `Mcp-Param-*` mirrors is in the tool's schema, and where the recording lists the tool its headers
/// are made anew of the arguments. Else they are the recorded ones, and only those that held a value which the clone takes from
/// an answer follow it: the recorded value tells the argument, and where two were equal their name does.
struct MirroredFields {
  private static let prefix = "mcp-param-"

  private let step: ScriptStep
  private let places: [ParamsCut.Place]

  init(_ step: ScriptStep, _ places: [ParamsCut.Place]) {
    self.step = step
    self.places = places
  }

  /// Returns the recorded fields with those that mirror arguments made anew, where the schema is known.
  func fields(_ recorded: [HeaderField]) -> [HeaderField] {
    guard step.isModern, let mirrors = step.mirrors else { return recorded }
    let others = recorded.filter { !$0.name.lowercased().hasPrefix(MirroredFields.prefix) }
    return others
      + mirrors.compactMap { mirror in
        text(at: mirror.path).map {
          HeaderField("Mcp-Param-" + mirror.name, HeaderText.encoded($0))
        }
      }
  }

  /// The fields that every message of the revision has.
  func standard() -> [HeaderField] {
    var fields = [
      HeaderField("mcp-protocol-version", Modern.version(step.params) ?? Modern.firstRevision),
      HeaderField("mcp-method", step.method),
    ]
    if step.kind == .request, let key = nameKey, let name = step.params?.member(key)?.string {
      fields.append(HeaderField("mcp-name", HeaderText.encoded(name)))
    }
    return fields
  }

  /// The value of a field that mirrors a part of the params in which a live value goes; `nil` for all others.
  func live(_ field: HeaderField) -> [RequestTemplate.Piece]? {
    guard !places.isEmpty, let params = step.params else { return nil }
    let name = field.name.lowercased()
    if name == "mcp-name", let key = nameKey {
      return ParamsCut.text(params, at: ValuePath(steps: [.child(key)]), places)
    }
    guard name.hasPrefix(MirroredFields.prefix) else { return nil }
    let wanted = name.dropFirst(MirroredFields.prefix.count)
    if let mirror = step.mirrors?.first(where: { $0.name.lowercased() == wanted }) {
      return ParamsCut.text(params, at: mirror.path, places)
    }
    let said = HeaderText.decoded(field.value)
    let bound = places.filter { $0.steps.first == .child("arguments") }
      .map { ValuePath(steps: Array($0.steps.prefix { $0 != .json })) }
      .filter { text(at: $0) == said }
    let match =
      bound.first { path in
        guard case .child(let key)? = path.steps.last else { return false }
        return MirroredFields.plain(key) == MirroredFields.plain(wanted)
      } ?? bound.first
    return match.flatMap { ParamsCut.text(params, at: $0, places) }
  }

  /// The member of the params that `Mcp-Name` mirrors.
  private var nameKey: String? {
    switch step.method {
    case "tools/call", "prompts/get": "name"
    case "resources/read": "uri"
    case "tasks/get", "tasks/update", "tasks/cancel": "taskId"
    default: nil
    }
  }

  /// The text of a string, number or boolean of the params; nothing else is mirrored.
  private func text(at path: ValuePath) -> String? {
    guard let params = step.params, let place = path.place(in: params) else { return nil }
    let token = params.slice(place.lowerBound, place.upperBound)
    switch token.kind {
    case .string: return token.string
    case .number, .bool: return token.text
    default: return nil
    }
  }

  /// A name without case and punctuation.
  static func plain(_ name: some StringProtocol) -> String {
    name.lowercased().filter { $0.isLetter || $0.isNumber }
  }
}
