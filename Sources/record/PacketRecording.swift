import ArgumentParser
import Basics
import Dissection
import Packets
import Trace
import Wire

/// Packets in, a trace out: what capture files and interfaces have in common.
struct PacketRecording: ~Copyable {
  /// What a trace is to be, for whichever thread makes it.
  struct Settings: Sendable {
    var dissection: DissectionOptions
    var output: TraceOutput
    var source: HeaderLine.Source
    var inputs: [String]
    /// Ports of which a connection must have one; empty: all are wanted.
    var ports: Set<UInt16>
  }

  /// Packets that a filter did not want.
  var filteredOut = 0
  /// The highest capture time so far.
  private(set) var latest = Timestamp(nanoseconds: .min)
  private(set) var table: FlowTable
  /// There once `open` was called.
  private(set) var recording: ThreadedRecording?

  private let settings: Settings
  private var flushed = ContinuousClock.now

  init(_ settings: Settings) {
    self.settings = settings
    table = FlowTable(ports: settings.ports)
  }

  /// Creates the trace, whose times count from `t0`.
  ///
  /// - Throws: the exit code, when that can't be done; why was said.
  mutating func open(at t0: Timestamp) throws(ExitCode) {
    do throws(TraceWriter.CreationError) {
      recording = try ThreadedRecording(
        output: settings.output, source: settings.source, t0: t0, options: settings.dissection,
        inputs: settings.inputs)
      latest = max(latest, t0)
    } catch {
      throw failure(
        Exit.cannotCreate,
        "cannot create \(error.path): \(words(error.errno)); choose another --output")
    }
  }

  /// Takes the next packet of an open trace.
  mutating func append(_ frame: CapturedFrame) {
    latest = max(latest, frame.at)
    if table.append(frame) { drain() }
  }

  /// Runs what waits for time to pass, and writes out what was made, if that has not been done for a while.
  mutating func pause(at now: Timestamp? = nil) {
    if let now {
      latest = max(latest, now)
      table.advance(to: now)
      drain()
    }
    guard ContinuousClock.now - flushed >= TraceRecording.flushInterval else { return }
    flush()
  }

  /// Writes out what was made.
  mutating func flush() {
    recording?.flush()
    flushed = .now
  }

  /// Says that packets, or a part of a file, never came here.
  mutating func lose(_ kind: String, packets: Int? = nil) {
    recording?.lose(kind, packets: packets, at: latest)
  }

  /// Ends the trace; returns the last `errno` of writing, if any failed. `nil` also when there is no trace.
  ///
  /// - Parameters:
  ///   - unread: Packets that the source had and did not hand on, by class.
  ///   - met: What else the source counted.
  mutating func close(
    unread: [String: Int] = [:], met: [(name: String, count: Int)]
  ) -> Int32? {
    table.finish()
    drain()
    guard let recording else { return nil }
    let (counters, filteredOut) = (table.counters, filteredOut)
    let met = met + (settings.dissection.keyLog?.losses ?? [])
    return recording.finish(at: latest) { footer in
      var classes = unread
      classes["in"] = unread.values.reduce(counters.packetsIn + filteredOut, +)
      for item in counters.packets { classes[item.name] = item.count }
      if filteredOut > 0 { classes["filtered", default: 0] += filteredOut }
      footer.packets = classes
      footer.tcpBytes = ["in": counters.payloadBytesIn]
      for item in counters.payloadBytes { footer.tcpBytes?[item.name] = item.bytes }
      footer.extra = [
        PacketRecording.member("tcp_events", counters.events),
        PacketRecording.member("capture", met),
      ]
    }
  }

  /// What is said after the trace is closed.
  var summary: [String] {
    guard let recording else { return [] }
    let classes = table.counters.packets.map { "\($0.name) \($0.count)" }
    let all = filteredOut > 0 ? classes + ["not taken by --filter \(filteredOut)"] : classes
    return recording.summary
      + ["packets: \(table.counters.packetsIn + filteredOut) = \(all.joined(separator: ", "))"]
  }

  /// The link types of all packets, when none of them can be taken apart.
  var unsupportedLinks: [String]? {
    let prefix = "packets.unsupported_linktype["
    let classes = table.counters.packets.map(\.name)
    guard !classes.isEmpty, classes.allSatisfy({ $0.hasPrefix(prefix) }) else { return nil }
    return classes.map { String($0.dropFirst(prefix.count).dropLast()) }
  }

  private static func member(_ key: String, _ counts: [(name: String, count: Int)]) -> ExtraMember {
    let members = counts.map { JSONValue.Member($0.name, .int($0.count)) }
    return ExtraMember(key: key, value: RawJSON(.object(members)))
  }

  private mutating func drain() {
    while let event = table.next() { recording?.append(event) }
  }
}
