import ArgumentParser
import Basics

/// `Name: value`.
struct HeaderArgument: ExpressibleByArgument, Sendable {
  let field: HeaderField

  init?(argument: String) {
    guard let colon = argument.firstIndex(of: ":") else { return nil }
    let name = argument[..<colon]
    let value = argument[argument.index(after: colon)...].drop { $0 == " " }
    let isToken = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    guard !name.isEmpty, isToken, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      return nil
    }
    field = HeaderField(String(name), String(value))
  }
}
