import Testing
import Trace

/// One change of a valid trace, and what the validator must say about it.
struct Contradiction: Sendable, CustomTestStringConvertible {
  let name: String
  let errors: [String]
  let apply: @Sendable (inout TraceEvent) -> Void

  var testDescription: String { name }

  static func request(
    _ n: Int, _ name: String, _ errors: [String],
    change: @escaping @Sendable (inout RequestLine) -> Void
  ) -> Contradiction {
    Contradiction(name: name, errors: errors) {
      guard case .request(var line) = $0, line.n == n else { return }
      change(&line)
      $0 = .request(line)
    }
  }

  static func response(
    _ n: Int, _ name: String, _ errors: [String],
    change: @escaping @Sendable (inout ResponseLine) -> Void
  ) -> Contradiction {
    Contradiction(name: name, errors: errors) {
      guard case .response(var line) = $0, line.n == n else { return }
      change(&line)
      $0 = .response(line)
    }
  }

  static func notification(
    _ n: Int, _ name: String, _ errors: [String],
    change: @escaping @Sendable (inout NotificationLine) -> Void
  ) -> Contradiction {
    Contradiction(name: name, errors: errors) {
      guard case .notification(var line) = $0, line.n == n else { return }
      change(&line)
      $0 = .notification(line)
    }
  }

  static func http(
    _ n: Int, _ name: String, _ errors: [String],
    change: @escaping @Sendable (inout HTTPLine) -> Void
  ) -> Contradiction {
    Contradiction(name: name, errors: errors) {
      guard case .http(var line) = $0, line.n == n else { return }
      change(&line)
      $0 = .http(line)
    }
  }

  static func footer(
    _ name: String, _ error: String, change: @escaping @Sendable (inout FooterLine) -> Void
  ) -> Contradiction {
    Contradiction(name: name, errors: ["line 21: " + error]) {
      guard case .footer(var line) = $0 else { return }
      change(&line)
      $0 = .footer(line)
    }
  }
}
