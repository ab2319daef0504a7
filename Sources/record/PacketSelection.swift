import ArgumentParser
import Capture

/// Which packets are wanted.
struct PacketSelection: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only packets that this BPF expression takes, e.g. 'host 10.0.0.7'.",
      discussion:
        "As tcpdump's; it looks at the outermost headers alone. Of capture files, others are counted as filtered.",
      valueName: "bpf"))
  var filter: String?

  @Option(
    name: .customLong("port"),
    help: ArgumentHelp(
      "Only TCP connections with this port on either end, also inside tunnels; may be repeated.",
      discussion: "Others are counted as filtered. Default: all, HTTP is found by its content.",
      valueName: "port"))
  var portNumbers: [UInt16] = []

  var ports: Set<UInt16> { Set(portNumbers) }

  /// Compiles the filter; the exit code is thrown when it is none.
  func compiled() throws(ExitCode) -> PacketFilter? {
    guard let filter else { return nil }
    do throws(CaptureError) {
      return try PacketFilter(filter)
    } catch {
      throw failure(Exit.usage, "\(error)")
    }
  }
}
