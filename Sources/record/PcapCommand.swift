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
      Reads pcap and pcapng of every kind, also in gzip or zstd (Ethernet, VLAN, Linux cooked, loopback and raw IP). Several files are read as one time line, in the order given. Checksums never filter. What is not \
      understood is counted in the trace's 'loss' lines and its footer.

      Example: record pcap agents.pcap --output agents.mcptrace
      """)

  @Argument(help: "Capture files; '-' is standard input.")
  var files: [String]

  @OptionGroup var recording: RecordingOptions
  @OptionGroup var decryption: DecryptionOptions

  @Option(help: "Only packets that this BPF expression takes, e.g. 'tcp port 8080'.")
  var filter: String?

  func run() throws {
    var options = try recording.dissection()
    options.keyLog = try decryption.keyLog(mayGrow: false)
    var table = FlowTable()
    var session: Recording?
    var latest = Timestamp(nanoseconds: 0)
    var progress = Progress(isQuiet: recording.quiet)
    var filteredOut = 0
    var met = CaptureCounters()
    StopFlag.install()
    signal(SIGXFSZ, SIG_IGN)
    do throws(CaptureError) {
      let filter = try filter.map { (text) throws(CaptureError) in try PacketFilter(text) }
      for path in files where !StopFlag.isRaised {
        let file = try CaptureFile(path: path)
        defer { met.add(file.counters) }
        while !StopFlag.isRaised, let item = try file.next() {
          guard case .frame(let frame) = item else { continue }
          if let filter, try !filter.matches(frame) {
            filteredOut += 1
            continue
          }
          if session == nil { session = try start(at: frame.at, options) }
          latest = max(latest, frame.at)
          table.append(frame)
          while let event = table.next() { session?.append(event) }
          progress.tick { "\(path): \(table.counters.packetsIn) packets" }
        }
        warn(file)
      }
    } catch {
      if let session { _ = close(session, &table, latest, filteredOut, met) }
      throw failure(error.what == .badFilter ? Exit.usage : Exit.unreadableInput, "\(error)")
    }
    if session == nil, StopFlag.isRaised { return }
    guard let session else {
      throw failure(
        Exit.unreadableInput,
        "\(files.joined(separator: ", ")): byte 24: no readable packet\(filter == nil ? "" : " that the filter takes")"
      )
    }
    if let errno = close(session, &table, latest, filteredOut, met) {
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
  private func start(at t0: Timestamp, _ options: DissectionOptions) throws(CaptureError)
    -> Recording
  {
    do throws(TraceWriter.CreationError) {
      return try Recording(
        output: recording.output, source: .pcap, t0: t0, options: options, inputs: files)
    } catch {
      say("record: cannot create \(error.path): \(words(error.errno)); choose another --output")
      Glibc.exit(Exit.cannotCreate.rawValue)
    }
  }

  /// Says what the end of a file looks like, when it does not look right.
  private func warn(_ file: CaptureFile) {
    let met = file.counters
    if met[.truncatedTail] > 0 {
      say(
        "record: warning: \(file.path) is cut off at its end, \(met[.truncatedTail]) bytes of the last record are not read"
      )
    }
    if met[.truncatedContainer] > 0 {
      say("record: warning: the compressed data of \(file.path) is cut off at its end")
    }
    if met[.trailingBytes] > 0 {
      say(
        "record: warning: \(file.path) has \(met[.trailingBytes]) bytes behind its compressed data")
    }
  }

  private func close(
    _ session: Recording, _ table: inout FlowTable, _ latest: Timestamp, _ filteredOut: Int,
    _ met: CaptureCounters
  ) -> Int32? {
    table.finish()
    while let event = table.next() { session.append(event) }
    let counters = table.counters
    return session.finish(at: latest) { footer in
      let unread = met[.noInterface]
      footer.packets = ["in": counters.packetsIn + filteredOut + unread]
      if filteredOut > 0 { footer.packets?["filtered"] = filteredOut }
      if unread > 0 { footer.packets?[CaptureCounters.Kind.noInterface.rawValue] = unread }
      for item in counters.packets { footer.packets?[item.name] = item.count }
      footer.tcpBytes = ["in": counters.payloadBytesIn]
      for item in counters.payloadBytes { footer.tcpBytes?[item.name] = item.bytes }
      let events = counters.events.map { JSONValue.Member($0.name, .int($0.count)) }
      footer.extra = [ExtraMember(key: "tcp_events", value: RawJSON(.object(events)))]
      if !met.named.isEmpty {
        let file = met.named.map { JSONValue.Member($0.name, .int($0.count)) }
        footer.extra.append(ExtraMember(key: "capture", value: RawJSON(.object(file))))
      }
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
