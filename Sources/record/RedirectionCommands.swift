import ArgumentParser
import Glibc

/// `--print-redirect`: the commands that bring connections to a transparent proxy, and those that undo them.
struct RedirectionCommands: ParsableArguments {
  @Flag(help: "Print commands that redirect connections here, with their undo, and end.")
  var printRedirect = false

  @Option(
    help: ArgumentHelp(
      "TCP port of the servers whose connections are redirected, for --print-redirect; may be repeated (default: 80).",
      valueName: "port"))
  var redirectPort: [UInt16] = []

  @Option(
    help: ArgumentHelp(
      "Port that record listens on, for --print-redirect.", valueName: "port"))
  var redirectTo: UInt16 = 8080

  /// Prints, if that was asked for; nothing else is asked for then.
  func validate() throws {
    if printRedirect { throw CleanExit.message(text) }
    guard redirectPort.isEmpty else {
      throw ValidationError("--redirect-port says what --print-redirect prints: give both")
    }
  }

  private var ports: [UInt16] { redirectPort.isEmpty ? [80] : redirectPort }

  private var text: String {
    let set = "{ " + ports.map(String.init).joined(separator: ", ") + " }"
    let list = ports.map(String.init).joined(separator: ",")
    let user = geteuid()
    let recording = "--payloads full --output live.mcptrace"
    return """
      # Commands (as root) that bring connections to TCP port \(list) to record on port \(redirectTo), without a change to clients or
      # servers. Use one of the three sections. Connections that are open already stay where they are.

      # == REDIRECT, nftables ==
      # For: record proxy --listen '[::]:\(redirectTo)' --transparent redirect \(recording)
      # on the machine of the clients, on that of the servers, or on a router between them.
      nft add table inet mcp_record
      # Connections that come in:
      nft 'add chain inet mcp_record incoming { type nat hook prerouting priority -100; }'
      nft 'add rule inet mcp_record incoming iifname != "lo" tcp dport \(set) redirect to :\(redirectTo)'
      # Connections of this machine's own programs, but those of user \(user), who must be the one that runs record and runs no client:
      nft 'add chain inet mcp_record outgoing { type nat hook output priority -100; }'
      nft 'add rule inet mcp_record outgoing meta skuid != \(user) tcp dport \(set) redirect to :\(redirectTo)'
      # Undo:
      nft delete table inet mcp_record

      # == REDIRECT, iptables ==
      # The same for IPv4; ip6tables takes the same words for IPv6.
      iptables -t nat -A PREROUTING ! -i lo -p tcp -m multiport --dports \(list) -j REDIRECT --to-ports \(redirectTo)
      iptables -t nat -A OUTPUT -p tcp -m multiport --dports \(list) -m owner ! --uid-owner \(user) -j REDIRECT --to-ports \(redirectTo)
      # Undo:
      iptables -t nat -D PREROUTING ! -i lo -p tcp -m multiport --dports \(list) -j REDIRECT --to-ports \(redirectTo)
      iptables -t nat -D OUTPUT -p tcp -m multiport --dports \(list) -m owner ! --uid-owner \(user) -j REDIRECT --to-ports \(redirectTo)

      # == TPROXY, nftables ==
      # For: record proxy --listen '[::]:\(redirectTo)' --transparent tproxy \(recording)
      # on the servers' machine or a router between them and the clients (connections that come in, no address translation). Needs CAP_NET_ADMIN.
      ip rule add fwmark \(Self.mark) lookup \(Self.table)
      ip route add local default dev lo table \(Self.table)
      ip -6 rule add fwmark \(Self.mark) lookup \(Self.table)
      ip -6 route add local default dev lo table \(Self.table)
      nft add table inet mcp_record_tproxy
      nft 'add chain inet mcp_record_tproxy incoming { type filter hook prerouting priority -150; }'
      nft 'add rule inet mcp_record_tproxy incoming iifname != "lo" meta l4proto tcp tcp dport \(set) tproxy to :\(redirectTo) meta mark set \(Self.mark) accept'
      # Undo:
      nft delete table inet mcp_record_tproxy
      ip rule del fwmark \(Self.mark) lookup \(Self.table)
      ip route del local default dev lo table \(Self.table)
      ip -6 rule del fwmark \(Self.mark) lookup \(Self.table)
      ip -6 route del local default dev lo table \(Self.table)
      """
  }

  /// "mc": a mark and a routing table that nobody else has.
  private static let mark = "0x6d63"
  private static let table = 28003
}
