import ArgumentParser
import Basics
import Capture
import Dissection
import Glibc
import Packets
import Trace

struct PcapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pcap", abstract: "Makes a trace of capture files.",
    discussion: """
      Reads classic pcap (microseconds and nanoseconds; Ethernet, VLAN, Linux cooked, loopback and raw IP) and what libpcap \
      reads of pcapng. Several files are read as one time line, in the order given. Checksums never filter. What is not \
      understood is counted in the trace's 'loss' lines and its footer.

      Example: record pcap agents.pcap --output agents.mcptrace
      """)

  @Argument(help: "Capture files; '-' is standard input.")
  var files: [String]

  @OptionGroup var recording: RecordingOptions

  @Option(help: "Only packets that this BPF expression takes, e.g. 'tcp port 8080'.")
  var filter: String?

  func run() throws {
    let options = try recording.dissection()
    var table = FlowTable()
    var session: ThreadedRecording?
    var latest = Timestamp(nanoseconds: 0)
    var progress = Progress(isQuiet: recording.quiet)
    var filteredOut = 0
    StopFlag.install()
    signal(SIGXFSZ, SIG_IGN)
    for path in files where !StopFlag.isRaised {
      do throws(PcapError) {
        var file = try PcapFile(path: path, filter: filter)
        while !StopFlag.isRaised, let frame = try file.next() {
          if session == nil { session = try start(at: frame.at, options) }
          latest = max(latest, frame.at)
          table.append(frame)
          while let event = table.next() { session?.append(event) }
          progress.tick { "\(path): \(table.counters.packetsIn) packets" }
        }
        filteredOut += file.filteredOut
        if file.truncatedTail > 0 {
          say(
            "record: warning: \(path) is cut off at its end, \(file.truncatedTail) bytes of the last record are not read"
          )
        }
      } catch {
        if let session { _ = close(session, &table, latest, filteredOut) }
        throw failure(error.what == .badFilter ? Exit.usage : Exit.unreadableInput, "\(error)")
      }
    }
    if session == nil, StopFlag.isRaised { return }
    guard let session else {
      throw failure(
        Exit.unreadableInput,
        "\(files.joined(separator: ", ")): byte 24: no readable packet\(filter == nil ? "" : " that the filter takes")"
      )
    }
    if let errno = close(session, &table, latest, filteredOut) {
      throw failure(
        Exit.ioError,
        "cannot write \(recording.output): \(words(errno)); make room and record again")
    }
    guard !recording.quiet else { return }
    for line in session.summary { say(line) }
    let classes = table.counters.packets.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
    say("packets: \(table.counters.packetsIn) = \(classes)")
  }

  /// Creates the trace when the first packet tells its beginning.
  private func start(at t0: Timestamp, _ options: DissectionOptions) throws(PcapError)
    -> ThreadedRecording
  {
    do throws(TraceWriter.CreationError) {
      return try ThreadedRecording(
        output: recording.output, source: .pcap, t0: t0, options: options, inputs: files)
    } catch {
      say("record: cannot create \(error.path): \(words(error.errno)); choose another --output")
      Glibc.exit(Exit.cannotCreate.rawValue)
    }
  }

  private func close(
    _ session: ThreadedRecording, _ table: inout FlowTable, _ latest: Timestamp, _ filteredOut: Int
  ) -> Int32? {
    table.finish()
    while let event = table.next() { session.append(event) }
    let counters = table.counters
    return session.finish(at: latest) { footer in
      footer.packets = ["in": counters.packetsIn + filteredOut]
      if filteredOut > 0 { footer.packets?["filtered"] = filteredOut }
      for item in counters.packets { footer.packets?[item.name] = item.count }
      footer.tcpBytes = ["in": counters.payloadBytesIn]
      for item in counters.payloadBytes { footer.tcpBytes?[item.name] = item.bytes }
      let events = counters.events.map { JSONValue.Member($0.name, .int($0.count)) }
      footer.extra = [ExtraMember(key: "tcp_events", value: RawJSON(.object(events)))]
    }
  }
}

/// Says every few seconds how far long work is.
struct Progress {
  private let isQuiet: Bool
  private var ticks = 0
  private var lastSaid = ContinuousClock.now

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  mutating func tick(_ line: () -> String) {
    ticks += 1
    guard !isQuiet, ticks % 16384 == 0, ContinuousClock.now - lastSaid > .seconds(3) else { return }
    lastSaid = .now
    say(line())
  }
}
