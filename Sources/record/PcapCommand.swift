import ArgumentParser
import Basics
import Capture
import Dissection
import Glibc
import Packets
import Trace
import Wire

struct PcapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pcap", abstract: "Makes a trace of capture files.",
    discussion: """
      Reads pcap and pcapng of every kind and snoop, also in gzip or zstd, and pipes. Several files are one time line: they are \
      ordered by their first packets, whatever the order given, what is open goes on from one to the next, and files \
      that overlap in time (taps in several places) are merged packet by packet; at equal times the file given first \
      comes first. HTTP is found on any port by its content. Checksums never filter. What is not understood is counted \
      in the trace's 'loss' lines and its footer. A file that ends in mid-packet is read up to there (exit 0); one that \
      is damaged too, but the exit code is then 65.

      Example: record pcap agents.pcap --output agents.mcptrace
               tcpdump -i any -w - tcp port 8080 | record pcap - --output agents.mcptrace
      """)

  @Argument(help: "Capture files; '-' is standard input.")
  var files: [String]

  @OptionGroup var recording: RecordingOptions

  @OptionGroup var selection: PacketSelection

  @OptionGroup var decryption: DecryptionOptions

  func validate() throws {
    guard files.filter({ $0 == "-" }).count < 2 else {
      throw ValidationError("standard input ('-') can be read once")
    }
  }

  func run() throws {
    HeapSettings.keepBlocks()
    let filter = try selection.compiled()
    var options = try recording.dissection()
    let timeline = try open()
    let keyLog = try decryption.keyLog(mayGrow: !timeline.hasSecretsInFront)
    options.keyLog = keyLog
    var packets = PacketRecording(
      .init(
        dissection: options, output: recording.destination, source: .pcap, inputs: files,
        ports: selection.ports))
    StopFlag.install()
    signal(SIGXFSZ, SIG_IGN)
    do {
      try read(timeline, filter, keyLog, &packets)
    } catch let error as CaptureError {
      _ = close(&packets, timeline.counters)
      throw failure(Exit.usage, "\(error)")
    }
    let errno = close(&packets, timeline.counters)
    if !recording.quiet { for line in packets.summary { say(line) } }
    try report(timeline, packets, errno)
  }

  private func open() throws -> CaptureTimeline {
    do throws(CaptureError) {
      return try CaptureTimeline(paths: files)
    } catch {
      throw failure(Exit.unreadableInput, "\(error)")
    }
  }

  private func read(
    _ timeline: CaptureTimeline, _ filter: PacketFilter?, _ keyLog: TLSKeyLog,
    _ packets: inout PacketRecording
  ) throws {
    var progress = Progress(isQuiet: recording.quiet)
    while !StopFlag.isRaised, let item = timeline.next() {
      switch consume item {
      case .frame(let frame):
        if let filter, try !filter.matches(frame) {
          packets.filteredOut += 1
          continue
        }
        if packets.recording == nil { try packets.open(at: frame.at) }
        packets.append(frame)
        progress.tick { "\(packets.table.counters.packetsIn) packets" }
      case .secrets(let secrets):
        if secrets.type == DecryptionSecrets.tlsKeyLog { keyLog.append(secrets.bytes) }
      case .waiting: packets.pause()
      }
    }
  }

  /// What of a file's counts is traffic, or a part of the file, that is not in the trace.
  private static let losses: [CaptureCounters.Kind] = [
    .truncatedTail, .truncatedContainer, .trailingBytes, .corruptBlock, .corruptContainer,
    .noInterface, .kernelDrop, .interfaceDrop,
  ]

  private func close(_ packets: inout PacketRecording, _ met: CaptureCounters) -> Int32? {
    for kind in PcapCommand.losses where met[kind] > 0 {
      packets.lose(kind.rawValue, packets: kind.rawValue.hasPrefix("file.") ? nil : met[kind])
    }
    let unread = met[.noInterface]
    return packets.close(
      unread: unread > 0 ? [CaptureCounters.Kind.noInterface.rawValue: unread] : [:],
      met: met.named)
  }

  /// Says what was wrong with the files, and ends with the code for it.
  private func report(
    _ timeline: CaptureTimeline, _ packets: borrowing PacketRecording, _ errno: Int32?
  ) throws {
    var isDamaged = false
    for file in timeline.ended {
      if let error = file.error {
        isDamaged = true
        say("record: \(error)")
      } else {
        warn(file.path, file.counters)
      }
    }
    if let errno {
      throw failure(
        Exit.ioError,
        "cannot write \(recording.output): \(words(errno)); make room and record again")
    }
    if isDamaged { throw Exit.unreadableInput }
    if StopFlag.isRaised { return }
    let all = files.joined(separator: ", ")
    if packets.recording == nil {
      let what = packets.filteredOut > 0 ? "no packet that the filter takes" : "no readable packet"
      throw failure(Exit.unreadableInput, "\(all): byte 24: \(what)")
    }
    if let links = packets.unsupportedLinks {
      throw failure(
        Exit.unreadableInput,
        "\(all): no readable packet: link type \(links.joined(separator: ", ")) is not known")
    }
  }

  /// Says what the end of a file looks like, when it does not look right.
  private func warn(_ path: String, _ met: CaptureCounters) {
    if met[.truncatedTail] > 0 {
      say(
        "record: warning: \(path) is cut off at its end, \(met[.truncatedTail]) bytes of the last record are not read"
      )
    }
    if met[.truncatedContainer] > 0 {
      say("record: warning: the compressed data of \(path) is cut off at its end")
    }
    if met[.trailingBytes] > 0 {
      say("record: warning: \(path) has \(met[.trailingBytes]) bytes behind its compressed data")
    }
  }
}
