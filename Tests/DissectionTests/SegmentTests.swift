import Basics
import Dissection
import TestKit
import Testing
import Trace

struct `Segments of a recording` {
  /// What a recording is made of when a new segment begins after each of the events that `cuts` picks.
  private static func segments(
    _ flow: [FlowEvent], t0: Timestamp, cuts: (Int) -> Bool
  ) -> [[TraceEvent]] {
    let lines = TraceLines(.events, keepsOpen: true)
    let dissector = Dissector(t0: t0, options: DissectionOptions(redactor: nil), lines: lines)
    var segments: [[TraceEvent]] = []
    var repeated: [TraceEvent] = []
    func cut() {
      segments.append(repeated + lines.takeEvents())
      repeated = lines.open
    }
    for (i, event) in flow.enumerated() {
      dissector.append(event)
      if cuts(i) { cut() }
    }
    dissector.finish(at: flow.map(\.time).max() ?? t0)
    cut()
    return segments
  }

  @Test(arguments: BundledCapture.names, [1, 2, 7, 50])
  func `hold what one without segments does, wherever it is cut`(name: String, step: Int) throws {
    let (flow, t0) = try BundledCapture.flow(name)
    let whole = Dissected(flow, t0: t0).events
    let segments = Self.segments(flow, t0: t0) { $0 % step == 0 }
    // Without what segments repeat nothing is there twice, is missing, or has another number.
    var seen: Set<String> = []
    var lines: [TraceEvent] = []
    for event in segments.joined() {
      switch event {
      case .session(let line) where line.continues == true: continue
      case .connection where !seen.insert(event.line.text).inserted: continue
      default: lines.append(event)
      }
    }
    #expect(lines == whole)
  }

  @Test(arguments: BundledCapture.names)
  func `begin with all that their lines name`(name: String) throws {
    let (flow, t0) = try BundledCapture.flow(name)
    let segments = Self.segments(flow, t0: t0) { _ in true }
    var announced: Set<String> = []
    for segment in segments {
      var (sessions, connections) = (Set<String>(), Set<Int>())
      var next: [String: Int] = [:]
      func check(_ session: String?, _ n: Int, _ conn: Int?) {
        if let conn { #expect(connections.contains(conn)) }
        guard let session, announced.contains(session) else { return }
        #expect(sessions.contains(session))
        if let first = next[session] { #expect(n >= first) }
      }
      for event in segment {
        switch event {
        case .connection(let line): connections.insert(line.conn)
        case .session(let line):
          sessions.insert(line.session)
          if line.continues == true { next[line.session] = line.nextN }
        case .request(let line): check(line.session, line.n, line.conn)
        case .response(let line): check(line.session, line.n, line.conn)
        case .notification(let line): check(line.session, line.n, line.conn)
        default: break
        }
      }
      announced.formUnion(sessions)
    }
  }

  @Test func `do not begin with what has ended`() throws {
    let (flow, t0) = try BundledCapture.flow("parallel-three-agents")
    let lines = TraceLines(.events, keepsOpen: true)
    let dissector = Dissector(t0: t0, options: DissectionOptions(redactor: nil), lines: lines)
    for event in flow { dissector.append(event) }
    dissector.finish(at: flow.map(\.time).max() ?? t0)
    #expect(lines.open.isEmpty)
  }
}
