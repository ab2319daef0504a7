import ArgumentParser

/// Where a replay goes: `http://host:port/path` or `https://…`; without a path the recorded one is taken.
struct TargetURL: ExpressibleByArgument, Sendable {
  let text: String
  let isSecure: Bool
  let host: String
  let port: Int
  let authority: String
  let path: String?

  init?(argument: String) {
    let schemes = ["http://", "https://"]
    guard let scheme = schemes.first(where: argument.lowercased().hasPrefix) else { return nil }
    let rest = argument.dropFirst(scheme.count)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let authority = rest[..<slash]
    let isPrintable = rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    guard !authority.isEmpty, isPrintable, !authority.contains("@") else { return nil }
    var host = authority
    var port = scheme == "https://" ? 443 : 80
    let colon = authority.lastIndex(of: ":")
    if let colon, authority.last != "]" {
      guard let number = Int(authority[authority.index(after: colon)...]),
        (1...65535).contains(number)
      else { return nil }
      port = number
      host = authority[..<colon]
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty else { return nil }
    let path = rest[slash...].prefix { $0 != "#" }
    text = argument
    isSecure = scheme == "https://"
    self.host = String(host)
    self.port = port
    self.authority = String(authority)
    self.path = path.isEmpty || path == "/" ? nil : String(path)
  }
}
