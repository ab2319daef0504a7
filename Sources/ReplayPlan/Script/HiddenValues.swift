import Basics
import MCP
import Redaction
import Trace

/// Finds what of a recording is no value but a surrogate, which no server knows.
struct HiddenValues {
  /// What the recorder kept of payloads.
  var payloads = HeaderLine.Payloads.full
  private let shape = ShapePlaces()

  /// Places in a client's request where surrogates stand that the server is to act on.
  ///
  /// What the protocol makes anew in each run is none, nor what a client says of itself.
  func places(in line: RequestLine) -> [ValuePath] {
    guard line.method != "initialize" else { return [] }
    return places(line.redacted, line.params, .params, line.method).filter { path in
      guard case .child(let name) = path.steps.first else { return true }
      return name != "requestState"
    }
  }

  /// Whether a client's answer holds surrogates.
  func isIn(_ line: ResponseLine, of method: String) -> Bool {
    !places(line.redacted, line.result, .result, method).isEmpty
  }

  private func places(
    _ redacted: [String]?, _ json: RawJSON?, _ part: PayloadPart, _ method: String
  ) -> [ValuePath] {
    var pointers = redacted ?? []
    if payloads == .shape, let json { pointers += shape.pointers(in: json, part, of: method) }
    return pointers.compactMap { ValuePath($0) }
  }
}

extension ScriptStep {
  /// The first place where the step would say a surrogate: none of its bindings puts a value there.
  ///
  /// A value for a part of a text may leave another part of it a surrogate.
  var hiddenPlace: ValuePath? {
    let own = hidden.first { place in
      !bindings.contains { $0.within == nil && place.steps.starts(with: $0.at.steps) }
        && !(cursorFrom != nil && place.steps == [.child("cursor")])
    }
    return own ?? rounds.lazy.flatMap(\.answers).compactMap(\.hiddenPlace).first
  }
}

extension ScriptStep.Round.Answer {
  /// The first place in a later round's params where its answer would say a surrogate.
  fileprivate var hiddenPlace: ValuePath? {
    let place = hidden.first { place in
      !bindings.contains { $0.within == nil && place.steps.starts(with: $0.at.steps) }
    }
    return place.map {
      ValuePath(steps: [.child("inputResponses"), .child(key)] + $0.steps)
    }
  }
}
