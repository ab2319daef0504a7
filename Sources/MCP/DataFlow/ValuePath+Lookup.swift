public import Basics
import NIOCore

extension ValuePath {
  /// Returns what stands there; tokens are as on the wire. `nil` when the path leads nowhere.
  ///
  /// Of members of one name the last counts. O(n) over the text, for each string entered once more.
  public func value(in json: RawJSON) -> RawJSON? {
    var here = json
    for step in steps {
      switch step {
      case .child(let name):
        guard let place = ValuePath.place(of: name, in: here) else { return nil }
        here = here.slice(place.lowerBound, place.upperBound)
      case .json:
        guard let text = here.string,
          let inner = RawJSON(validating: ByteBuffer(string: text))
        else { return nil }
        here = inner
      }
    }
    return here
  }

  /// Where the token stands in the text to which the steps before the first `#` lead; `nil` when they lead nowhere.
  public func place(in json: RawJSON) -> Range<Int>? {
    var here = json
    var place = 0..<json.bytes.readableBytes
    for step in steps {
      guard case .child(let name) = step else { return place }
      guard let next = ValuePath.place(of: name, in: here) else { return nil }
      here = here.slice(next.lowerBound, next.upperBound)
      place = place.lowerBound + next.lowerBound..<place.lowerBound + next.upperBound
    }
    return place
  }

  /// A number without leading zeros is an element where there is an array (RFC 6901 §4).
  private static func place(of name: String, in json: RawJSON) -> Range<Int>? {
    if let place = json.place(ofMember: name) { return place }
    guard let index = Int(name), String(index) == name else { return nil }
    return json.place(ofElement: index)
  }
}
