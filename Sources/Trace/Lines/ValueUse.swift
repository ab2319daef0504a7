public import Basics

/// A value of a request that came from an earlier answer: an element of `uses`.
///
/// A path is a JSON Pointer (RFC 6901) in which a `#` enters the JSON that a string holds: `/content/0/text#/ticket/id`.
public struct ValueUse: Hashable, Sendable {
  /// The literal text around a value that is a part of a plain text.
  public struct Surroundings: Hashable, Sendable {
    /// What stands right before the value; empty where the text begins with it.
    public var before: String
    /// What stands right behind it; empty where the text ends with it.
    public var after: String

    /// Creates surroundings.
    public init(before: String, after: String) {
      self.before = before
      self.after = after
    }
  }

  /// Where it stands in the request's `params`.
  public var at: String
  /// `n` of the answer it came from.
  public var from: Int
  /// Where it stands in the answer's `result`; `/headers/NAME` is a header of it.
  public var path: String
  /// What is around it where `path` leads to a longer text.
  public var within: Surroundings?
  /// What is around it where `at` leads to a longer text (key `at_within`).
  public var atWithin: Surroundings?

  /// Creates a use of a whole value.
  public init(at: String, from: Int, path: String) {
    self.at = at
    self.from = from
    self.path = path
  }

  /// Reads an element of `uses`; `nil` without its required keys.
  public init?(json: JSONValue) {
    guard let at = json["at"]?.string, let from = json["from"]?.int.map({ Int($0) }),
      let path = json["path"]?.string
    else { return nil }
    self.init(at: at, from: from, path: path)
    within = json["within"].map(Surroundings.init)
    atWithin = json["at_within"].map(Surroundings.init)
  }

  /// The element as JSON.
  public var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("at", .string(at)), .init("from", .int(from)), .init("path", .string(path)),
    ]
    if let within { members.append(.init("within", within.json)) }
    if let atWithin { members.append(.init("at_within", atWithin.json)) }
    return .object(members)
  }
}

extension ValueUse.Surroundings {
  fileprivate init(_ json: JSONValue) {
    self.init(before: json["before"]?.string ?? "", after: json["after"]?.string ?? "")
  }

  fileprivate var json: JSONValue {
    .object([.init("before", .string(before)), .init("after", .string(after))])
  }
}

extension RequestLine {
  /// The elements of `uses` that can be read.
  public var valueUses: [ValueUse] { (uses?.array ?? []).compactMap(ValueUse.init(json:)) }
}
