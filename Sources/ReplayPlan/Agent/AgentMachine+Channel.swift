import Basics
import Trace

/// Sessions over HTTP+SSE (2024-11-05): one GET stream on which all answers come, and an address for all that the client says.
///
/// Theory: the stream is the session. Nothing is sent before its `endpoint` event has told the address; a POST that was accepted says
/// no more than that, its answer comes on the stream by id; a stream that ends takes the session along. A server that refuses the
/// stream speaks Streamable HTTP at the same address (the other way round than clients fall back, 2025-03-26 "Backwards
/// Compatibility"): then all goes on as if the session had been recorded so.
extension AgentMachine {
  /// True once answers come on the stream alone.
  var hasChannel: Bool { identity.endpoint != nil }

  /// Takes the address for what the client says.
  mutating func opened(_ exchange: Int, endpoint text: String, _ at: Int64) {
    if recovered(exchange, endpoint: text, at) { return }
    guard let i = book.channelStep, states[i].phase == .flying, states[i].exchange == exchange
    else {
      return
    }
    guard let endpoint = Endpoints.path(text, on: book.target.authority, from: book.path) else {
      return giveUp(i, .transportError, at)
    }
    identity.endpoint = endpoint
    conclude(i, at: at, failed: false)
  }

  /// The stream's address did not come.
  mutating func giveUpChannel(_ i: Int, _ at: Int64) {
    conclude(i, at: at, failed: false)
    close(.omit(.afterError), at)
  }

  /// The stream has ended, or never began.
  mutating func channelEnded(_ i: Int, _ exchange: Exchange, _ at: Int64) {
    if hasChannel {
      for open in states.indices where states[open].phase == .flying {
        over(open, .transportError, at)
      }
      return loseSession(at, by: exchange.number)
    }
    // Statuses with which a server says that it has no such stream.
    let isRefused = exchange.status.map { (400..<500).contains($0) && $0 != 401 && $0 != 403 }
    if isRefused == true { conclude(i, at: at, failed: false) } else { giveUpChannel(i, at) }
  }
}

/// Addresses that a server gives in an `endpoint` event.
enum Endpoints {
  /// The path with query of an address, absolute or relative to the stream's; `nil` for one of another origin, as client libraries
  /// refuse it, and for what no start line can hold.
  static func path(_ text: String, on authority: String, from stream: String) -> String? {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !text.isEmpty else { return nil }
    let plain = text.prefix { $0 != "#" }
    for scheme in ["http://", "https://"] where plain.lowercased().hasPrefix(scheme) {
      let rest = plain.dropFirst(scheme.utf8.count)
      let host = rest.prefix { $0 != "/" && $0 != "?" }
      guard host.lowercased() == authority.lowercased() else { return nil }
      let path = rest.dropFirst(host.count)
      return path.hasPrefix("/") ? String(path) : "/" + path
    }
    if plain.hasPrefix("//") { return nil }
    if plain.hasPrefix("/") { return String(plain) }
    let base = stream.prefix { $0 != "?" }
    if plain.hasPrefix("?") { return String(base) + plain }
    let folder = base.lastIndex(of: "/").map { String(base[...$0]) }
    return (folder ?? "/") + plain
  }
}
