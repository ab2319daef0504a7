/// Where a value stands in a result or in params: the paths of `uses`.
///
/// A path is a JSON Pointer (RFC 6901, `~0` for `~` and `~1` for `/`) in which a `#` enters the JSON that a string holds:
/// `/content/0/text#/ticket/id`. A `#` that belongs to a name is written `~2`. `/headers/NAME` is a header of the HTTP answer.
public struct ValuePath: Hashable, Sendable {
  /// One step down.
  public enum Step: Hashable, Sendable {
    /// To the member of that name, or to the element of that number.
    case child(String)
    /// Into the JSON that the string here holds.
    case json
  }

  /// From the root to the value.
  public let steps: [Step]

  /// Most steps of a path; deeper JSON is not read either (`JSONScan.depthLimit`).
  public static let stepLimit = 512
  /// Most strings that a path enters, one in the other.
  public static let textLimit = 8

  /// Creates the path of these steps.
  public init(steps: [Step]) { self.steps = steps }

  /// Reads a path; `nil` when it is none, or leads deeper than any answer.
  public init?(_ text: String) {
    var steps: [Step] = []
    var entered = 0
    var name: [UInt8]?
    var isEscaped = false
    for byte in text.utf8 {
      if isEscaped {
        guard byte >= 0x30, byte <= 0x32 else { return nil }
        name?.append([0x7e, 0x2f, 0x23][Int(byte - 0x30)])
        isEscaped = false
        continue
      }
      switch byte {
      case 0x2f, 0x23:
        if let done = name { steps.append(.child(String(decoding: done, as: UTF8.self))) }
        name = byte == 0x2f ? [] : nil
        if byte == 0x23 {
          steps.append(.json)
          entered += 1
        }
        guard steps.count < ValuePath.stepLimit, entered <= ValuePath.textLimit else { return nil }
      case 0x7e:
        guard name != nil else { return nil }
        isEscaped = true
      default:
        guard name != nil else { return nil }
        name?.append(byte)
      }
    }
    guard !isEscaped else { return nil }
    if let name { steps.append(.child(String(decoding: name, as: UTF8.self))) }
    self.steps = steps
  }

  /// Returns a name as it is written in a path.
  public static func escaped(_ name: String) -> String {
    var out = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "~": out += "~0"
      case "/": out += "~1"
      case "#": out += "~2"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// The name in lower case when the path is that of a header of the HTTP answer.
  public var header: String? {
    guard steps.count == 2, steps[0] == .child("headers"), case .child(let name) = steps[1] else {
      return nil
    }
    return name.lowercased()
  }
}

extension ValuePath: CustomStringConvertible {
  /// The path as text.
  public var description: String {
    steps.reduce(into: "") { text, step in
      switch step {
      case .child(let name): text += "/" + ValuePath.escaped(name)
      case .json: text += "#"
      }
    }
  }
}
