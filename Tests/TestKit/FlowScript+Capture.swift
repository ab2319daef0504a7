import Basics
public import NIOCore

extension FlowScript {
  /// The conversation as a capture file: each connection as TCP, with a handshake.
  public var capture: ByteBuffer {
    var flows: [FlowID: TCPScript] = [:]
    var segments: [TCPSegment] = []
    func add(_ flow: FlowID, at: Timestamp, _ step: (inout TCPScript) -> Void) {
      guard var script = flows[flow] else { return }
      script.now = max(script.now, at)
      let count = script.segments.count
      step(&script)
      segments += script.segments[count...]
      flows[flow] = script
    }
    for event in events {
      switch event {
      case .opened(let flow, let ends, let at):
        flows[flow] = TCPScript(client: ends.client, server: ends.server)
        add(flow, at: at) {
          $0.step = 10_000
          $0.handshake()
        }
      case .bytes(let flow, let direction, let bytes, let at):
        add(flow, at: at) { $0.send(direction, Array(bytes.readableBytesView)) }
      case .ended(let flow, let direction, _, let at): add(flow, at: at) { $0.finish(direction) }
      case .gap: break
      }
    }
    let builder = PcapBuilder()
    let order = segments.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }
    return builder.file(builder.frames(order.map(\.element)))
  }
}
