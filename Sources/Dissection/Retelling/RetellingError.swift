/// Why views of recorders cannot be retold together.
public enum RetellingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A message does not say which HTTP exchange carried it.
  case noExchange(line: Int)
  /// A number of an exchange or a connection is none.
  case number(line: Int)
  /// Too much for one view.
  case tooLarge

  /// One sentence.
  public var description: String {
    switch self {
    case .noExchange(let line):
      "line \(line): the message names no HTTP exchange (x), without which sessions cannot be inferred anew"
    case .number(let line): "line \(line): x and conn are numbers from 0 to 2^31"
    case .tooLarge: "more than 2^31 lines"
    }
  }
}
