import Basics
import MCP

/// Where the values of a feed go in a script's requests.
struct FedPlaces {
  private let feed: Feed

  init(_ feed: Feed) { self.feed = feed }

  /// Places in the params of a request; where a value of an answer goes is none.
  func places(in step: ScriptStep) -> [ParamsCut.Place] {
    feed.columns.enumerated().flatMap { i, column -> [ParamsCut.Place] in
      let paths: [[ValuePath.Step]] =
        switch column {
        case .header: []
        case .argument(let path): step.method == Method.toolsCall ? [path.steps] : []
        case .clientName: FedPlaces.client("name")
        case .clientVersion: FedPlaces.client("version")
        }
      let isBound = step.bindings.map(\.at.steps)
      return paths.filter { path in
        !isBound.contains { $0.starts(with: path) || path.starts(with: $0) }
      }.map { .init(steps: $0[...], piece: piece(i)) }
    }
  }

  private static func client(_ member: String) -> [[ValuePath.Step]] {
    [
      [.child("clientInfo"), .child(member)],
      [.child("_meta"), .child(Modern.clientKey), .child(member)],
    ]
  }

  private func piece(_ column: Int) -> RequestTemplate.Piece {
    var value = LiveValue(number: column, recorded: RawJSON(.null), isPart: false)
    value.isOfFeed = true
    if case .argument = feed.columns[column] { value.keepsType = feed.isTyped }
    return .value(value)
  }

  /// Takes out the fields of the feed's names; returns those that take their place.
  func fields(instead fields: inout [HeaderField]) -> [RequestTemplate.LiveField] {
    feed.columns.enumerated().compactMap { i, column in
      guard case .header(let name) = column else { return nil }
      let known = fields.first { $0.named(name) }
      fields.removeAll { $0.named(name) }
      var value = LiveValue(
        number: i, recorded: RawJSON(.string(known?.value ?? "")), isPart: true)
      value.isOfFeed = true
      return .init(name: name, value: [.value(value)], column: i, isOptional: known == nil)
    }
  }
}
