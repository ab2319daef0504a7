public import Basics
import Capture
import Packets

/// The captures of the folder `captures`.
public enum BundledCapture {
  /// All of them, without `.pcap`.
  public static let names = [
    "stateful-sse", "stateful-json", "modern-2026-07-28", "parallel-three-agents",
  ]

  /// A capture without packets.
  struct Empty: Error {}

  /// The flow events of a capture, and the time of its first packet; throws where it is none, or has no packet.
  public static func flow(_ name: String) throws -> (events: [FlowEvent], t0: Timestamp) {
    let file = try CaptureFile(path: path("\(name).pcap"))
    var table = FlowTable()
    var events: [FlowEvent] = []
    var t0: Timestamp?
    while let item = try file.next() {
      guard case .frame(let frame) = item else { continue }
      t0 = t0 ?? frame.at
      table.append(frame)
      while let event = table.next() { events.append(event) }
    }
    table.finish()
    while let event = table.next() { events.append(event) }
    guard let t0 else { throw Empty() }
    return (events, t0)
  }

  /// The path of a file of the folder.
  public static func path(_ file: String) -> String {
    #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/captures/" + file
  }
}
