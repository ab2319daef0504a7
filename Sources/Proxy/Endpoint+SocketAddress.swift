internal import Basics
internal import NIOCore

extension Endpoint {
  /// The numeric address of a socket, or the path of a Unix socket. An IPv4 peer of an IPv6 socket is written as IPv4, as
  /// a capture sees it; what has no address (a socket that closed meanwhile, a Unix client) is empty.
  init(_ address: SocketAddress?) {
    let host = address?.ipAddress ?? address?.pathname ?? ""
    let mapped = "::ffff:"
    let isMapped = host.hasPrefix(mapped) && host.utf8.contains(0x2e)
    self.init(
      host: isMapped ? String(host.dropFirst(mapped.utf8.count)) : host, port: address?.port ?? 0)
  }
}
