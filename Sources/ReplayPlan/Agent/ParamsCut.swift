import Basics
import MCP
import NIOCore
import Trace

/// Cuts params where a clone fills in something of its own.
///
/// All but what is filled in stays byte for byte, except that a string with such a place in it is quoted anew. Where two places
/// overlap, the first holds.
struct ParamsCut {
  /// A place to fill.
  struct Place {
    var steps: ArraySlice<ValuePath.Step>
    var within: ValueUse.Surroundings?
    /// What goes there; a `value` learns from the cut what was there.
    var piece: RequestTemplate.Piece
  }

  private struct Cut {
    var range: Range<Int>
    var pieces: [RequestTemplate.Piece]
  }

  /// Returns `json` in pieces.
  static func pieces(_ json: RawJSON, _ places: [Place]) -> [RequestTemplate.Piece] {
    var tokens: [Range<Int>: [Place]] = [:]
    for place in places {
      let head = ValuePath(steps: Array(place.steps.prefix { $0 != .json }))
      guard let range = head.place(in: json) else { continue }
      var rest = place
      rest.steps = place.steps.drop { $0 != .json }
      tokens[range, default: []].append(rest)
    }
    let cuts = tokens.compactMap { range, places in
      token(json.slice(range.lowerBound, range.upperBound), places).map {
        Cut(range: range, pieces: $0)
      }
    }
    return join(json.bytes, cuts)
  }

  /// Returns the text of what stands at `path` in pieces, not as JSON; `nil` when no place lies there.
  static func text(_ json: RawJSON, at path: ValuePath, _ places: [Place])
    -> [RequestTemplate.Piece]?
  {
    guard let range = path.place(in: json) else { return nil }
    let token = json.slice(range.lowerBound, range.upperBound)
    let here = places.compactMap { place -> Place? in
      let head = place.steps.prefix { $0 != .json }
      guard ValuePath(steps: Array(head)).place(in: json) == range else { return nil }
      var rest = place
      rest.steps = place.steps.drop { $0 != .json }
      return rest
    }
    if let whole = here.first(where: { $0.steps.isEmpty && $0.within == nil }) {
      return [filled(whole.piece, token, isPart: true)]
    }
    return token.string.flatMap { text(ByteBuffer(string: $0), here) }
  }

  private static func token(_ token: RawJSON, _ places: [Place]) -> [RequestTemplate.Piece]? {
    if let whole = places.first(where: { $0.steps.isEmpty && $0.within == nil }) {
      return [filled(whole.piece, token, isPart: false)]
    }
    guard let string = token.string, let inner = text(ByteBuffer(string: string), places) else {
      return nil
    }
    let quote = RequestTemplate.Piece.text(ByteBuffer(string: "\""))
    return [quote] + inner.map(deeper) + [quote]
  }

  private static func text(_ text: ByteBuffer, _ places: [Place]) -> [RequestTemplate.Piece]? {
    let inside = places.compactMap { place -> Place? in
      guard place.steps.first == .json else { return nil }
      var place = place
      place.steps = place.steps.dropFirst()
      return place
    }
    if !inside.isEmpty {
      // White space between its tokens stays as it was.
      guard RawJSON(validating: text) != nil else { return nil }
      return pieces(RawJSON(trusted: text), inside)
    }
    let bytes = Array(buffer: text)
    let cuts = places.compactMap { place -> Cut? in
      guard let range = place.within?.range(in: bytes) else { return nil }
      let recorded = RawJSON(.string(String(decoding: bytes[range], as: UTF8.self)))
      return Cut(range: range, pieces: [filled(place.piece, recorded, isPart: true)])
    }
    return cuts.isEmpty ? nil : join(text, cuts)
  }

  private static func join(_ text: ByteBuffer, _ cuts: [Cut]) -> [RequestTemplate.Piece] {
    var pieces: [RequestTemplate.Piece] = []
    var from = 0
    func copy(to end: Int) {
      guard end > from,
        let slice = text.getSlice(at: text.readerIndex + from, length: end - from)
      else { return }
      pieces.append(.text(slice))
    }
    let ordered = cuts.sorted {
      ($0.range.lowerBound, -$0.range.count) < ($1.range.lowerBound, -$1.range.count)
    }
    for cut in ordered where cut.range.lowerBound >= from {
      copy(to: cut.range.lowerBound)
      pieces += cut.pieces
      from = cut.range.upperBound
    }
    copy(to: text.readableBytes)
    return pieces
  }

  private static func filled(
    _ piece: RequestTemplate.Piece, _ recorded: RawJSON, isPart: Bool
  ) -> RequestTemplate.Piece {
    guard case .value(var value) = piece else { return piece }
    value.recorded = recorded.owned
    value.isPart = isPart
    return .value(value)
  }

  private static func deeper(_ piece: RequestTemplate.Piece) -> RequestTemplate.Piece {
    switch piece {
    case .text(let text): return .text(LiveValue.quoted(text))
    case .value(var value):
      value.depth += 1
      return .value(value)
    case .id, .progressToken, .cursor, .traceParent: return piece
    }
  }
}
