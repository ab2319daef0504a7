import ArgumentParser
import Basics
import Capture
import Dispatch
import Glibc
import Trace

struct LiveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "live", abstract: "Records what passes an interface, without being in its path.",
    discussion: """
      One thread copies packets and does nothing else, another makes the trace. Packets that the kernel, the interface \
      or the queue between the threads had to drop are counted in the trace's 'loss' lines and its footer; messages \
      that miss bytes for it say so. Key logs are read as they grow, also when they are not there yet. SIGINT or SIGTERM drains and closes the trace.

      Needs root, or once: setcap cap_net_raw,cap_net_admin=eip $(which record)

      Example: record live --interface lo --port 8080 --output live.mcptrace
      """)

  @Option(name: .shortAndLong, help: "Interface to capture on; 'any' is all of them.")
  var interface = "any"

  @OptionGroup var recording: RecordingOptions

  @OptionGroup var segments: SegmentOptions

  @OptionGroup var selection: PacketSelection

  @OptionGroup var decryption: DecryptionOptions

  @Option(help: ArgumentHelp("Most bytes kept of a packet.", valueName: "bytes"))
  var snaplen = 262_144

  @Option(
    help: ArgumentHelp("Size of the kernel's buffer, for bursts, in MiB.", valueName: "mib"))
  var buffer = 32

  @Flag(help: "Also packets that are for other machines (a mirror port).")
  var promiscuous = false

  func validate() throws {
    guard (64...262_144).contains(snaplen) else {
      throw ValidationError("--snaplen takes 64 to 262144 bytes")
    }
    guard (1...1024).contains(buffer) else {
      throw ValidationError("--buffer takes 1 to 1024 MiB")
    }
  }

  func run() throws {
    var destination = recording.destination
    try segments.apply(to: &destination)
    StopFlag.install()
    // Failed writes come back as errors: a full disk or a closed pipe must not end the capture.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    let capture = try open()
    let settings = PacketRecording.Settings(
      dissection: try recording.dissection(), output: destination, source: .live,
      inputs: [interface], ports: selection.ports)
    let keyLogs = decryption.keyLogs
    let queue = FrameQueue()
    let reports = Mailbox<LiveRecorder.Report>()
    DispatchQueue(label: "dissection").async {
      LiveRecorder.run(queue, settings, keyLogs: keyLogs) { reports.post($0) }
    }
    if case .failed(let code) = reports.take() { throw code }
    if !recording.quiet { say("capturing on \(interface), recording to \(recording.output)") }
    let lost = copy(capture, to: queue)
    queue.close()
    guard case .finished(let summary, let errno) = reports.take() else {
      throw failure(Exit.internalError, "the recorder stopped without its report")
    }
    if !recording.quiet { for line in summary { say(line) } }
    if let errno {
      throw failure(
        Exit.ioError,
        "cannot write \(recording.output): \(words(errno)); part of the recording is missing")
    }
    if let lost { throw failure(Exit.ioError, "\(lost); what came before is recorded") }
  }

  /// Copies packets until a signal comes; returns why the interface ended it, if it did.
  private func copy(_ capture: LiveCapture, to queue: FrameQueue) -> CaptureError? {
    var reported = ContinuousClock.now
    do throws(CaptureError) {
      while !StopFlag.isRaised {
        if let batch = try capture.read(within: 100) { queue.offer(batch) }
        if ContinuousClock.now - reported >= .seconds(1) {
          reported = .now
          queue.report(capture.statistics())
        }
      }
      // What the kernel still gathers is handed out within its time for that.
      let stopped = ContinuousClock.now
      while ContinuousClock.now - stopped < .milliseconds(250) {
        if let batch = try capture.read(within: 100) { queue.offer(batch) }
      }
      queue.report(capture.statistics())
    } catch {
      queue.report(capture.statistics())
      return error
    }
    return nil
  }

  private func open() throws -> LiveCapture {
    var options = LiveOptions(interface: interface)
    options.snapLength = snaplen
    options.bufferSize = buffer << 20
    options.isPromiscuous = promiscuous
    options.filter = selection.filter
    do throws(CaptureError) {
      let capture = try LiveCapture(options)
      if !capture.warning.isEmpty { say("record: warning: \(interface): \(capture.warning)") }
      return capture
    } catch {
      switch error.what {
      case .badFilter: throw failure(Exit.usage, "\(error)")
      case .noPermission:
        throw failure(
          Exit.cannotCreate,
          "\(error); run as root, or once: setcap cap_net_raw,cap_net_admin=eip $(which record)")
      case .noInterface:
        let names = LiveCapture.interfaces.joined(separator: ", ")
        throw failure(
          Exit.cannotCreate, "\(error); there are: \(names.isEmpty ? "none to be seen" : names)")
      default: throw failure(Exit.cannotCreate, "\(error)")
      }
    }
  }
}
