import ArgumentParser
import Basics
import CommandSupport
import Dissection
import Glibc
import Trace

/// `trace merge`
struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make one trace of several.",
    discussion: """
      Without --reinfer sessions stay as they are: they, exchanges and connections are renamed apart, and all \
      times count from one t0.

      With --reinfer the files are views of one service by several recorders (replicas behind a load \
      balancer), which shared --redaction-key FILE and saw each exchange once. Their messages are put in \
      order of time, and sessions, agents, n, turns, after, think and uses are told anew over all of them, as one recorder would have. \
      A recorder's clock is put right where it contradicts what must have been in order: an answer that gave \
      out a value (a session id, a cursor, a handle) was complete before a request that carries it. What was \
      applied is printed and written to the header ('clocks'). Two passes; memory: some 400 bytes an exchange \
      and 100 a line, besides open sessions. Compressed files are unpacked into TMPDIR.
      """)

  @Argument(help: "Traces to merge; the first one's clock is taken as right.", completion: .file())
  var files: [String]

  @Option(
    name: .shortAndLong,
    help:
      "The trace to write, created with mode 0600; '-' is standard output, and a name that ends in .zst is compressed."
  )
  var output: String

  @OptionGroup var compression: CompressionOptions

  @Flag(help: "Infer sessions anew over all files.")
  var reinfer = false

  @OptionGroup(title: "Options of --reinfer") var sessions: SessionOptions

  @Flag(name: .shortAndLong, help: "Only errors on standard error.")
  var quiet = false

  func validate() throws {
    if files.contains("-") { throw ValidationError("merge reads files twice: give paths, not '-'") }
  }

  func run() throws {
    if files.contains(where: isOutput) {
      Exit.complain("\(output): is one of the files to merge; give another --output")
      throw ExitCode(64)
    }
    let headers = try files.map(header)
    if reinfer { try retell(headers) } else { try join(headers) }
  }

  // MARK: As they are

  private func join(_ headers: [HeaderLine]) throws {
    let writer = try create(
      JoinedHeader.of(headers, files: files, recorder: TraceCommand.recorder, offsets: []))
    var lines = JoinedLines(headers)
    for (i, file) in files.enumerated() {
      if i > 0 { lines.next() }
      try forEachLine(of: file) { event, _ in
        if let event = lines.joined(event) { writer.write(event) }
      }
    }
    lines.finish()
    try close(writer, lines.footer)
  }

  // MARK: Anew

  private func retell(_ headers: [HeaderLine]) throws {
    if let obstacle = JoinedHeader.obstacle(headers) {
      Exit.complain("\(files.joined(separator: ", ")): \(obstacle); or merge without --reinfer")
      throw Exit.unreadable
    }
    let views = try zip(files, headers).map { try view($0, $1) }
    let clocks = ClockOffset.estimate(views.map(\.clock))
    if !quiet { for (file, clock) in zip(files, clocks).dropFirst() { tell(file, clock) } }
    let writer = try create(
      JoinedHeader.of(headers, files: files, recorder: TraceCommand.recorder, offsets: clocks))
    var options = DissectionOptions(redactor: nil)
    sessions.apply(to: &options)
    let lines = TraceLines(.text)
    let retelling = Retelling(
      views, offsets: clocks.map(\.offset), options: options, lines: lines)
    let inputs = try files.map(open)
    do {
      while try retelling.next({ (number, place) throws(TraceFormatError) in
        try inputs[number].event(offset: place.offset, length: place.length)
      }) {
        if lines.byteCount >= TraceWriter.flushSize { writer.write(lines) }
      }
    } catch {
      Exit.complain("a file changed while it was read: \(error)")
      throw Exit.inputOutput
    }
    writer.write(lines)
    try close(writer, retelling.footer)
  }

  private func view(_ file: String, _ header: HeaderLine) throws -> RecorderView {
    let view = RecorderView(header)
    var isFirst = true
    try forEachLine(of: file) { event, place in
      defer { isFirst = false }
      if isFirst { return }
      do {
        try view.note(event, at: place)
      } catch {
        Exit.complain("\(file): \(error)")
        throw Exit.unreadable
      }
    }
    view.close()
    return view
  }

  private func tell(_ file: String, _ clock: ClockOffset) {
    let milliseconds = Double(clock.offset) / 1e6
    let what =
      clock.offset == 0
      ? "clock taken as it is" : "clock put right by \(milliseconds) ms"
    let against =
      clock.contradictions == 0 ? "" : ", \(clock.contradictions) of which contradict it"
    Exit.complain("\(file): \(what); \(clock.bounds) values and ids tie it to the others\(against)")
  }

  // MARK: Files

  private func isOutput(_ file: String) -> Bool {
    var (a, b) = (stat(), stat())
    guard output != "-", unsafe stat(file, &a) == 0, unsafe stat(output, &b) == 0 else {
      return false
    }
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_mode & S_IFMT == S_IFREG
  }

  private func header(_ file: String) throws -> HeaderLine {
    do {
      guard case .header(let header) = try TraceReader(path: file).next() else {
        throw TraceFormatError(.notATrace)
      }
      return header
    } catch let error as TraceFormatError {
      throw Exit.report(error, file: file)
    }
  }

  private func open(_ file: String) throws -> TraceLineFile {
    do {
      return try TraceLineFile(path: file)
    } catch {
      throw Exit.report(error, file: file)
    }
  }

  private func forEachLine(
    of file: String, _ body: (TraceEvent, LinePlace) throws -> Void
  ) throws {
    do {
      let reader = try TraceReader(path: file)
      while let event = try reader.next() {
        try body(event, LinePlace(offset: reader.offset, length: reader.length))
      }
      Exit.warnTornTail(reader.tornTail, file: file)
    } catch let error as TraceFormatError {
      throw Exit.report(error, file: file)
    }
  }

  private func create(_ header: HeaderLine) throws -> TraceWriter {
    do {
      let writer = try TraceWriter(path: output, level: compression.level)
      writer.write(.header(header))
      return writer
    } catch {
      Exit.complain(
        "\(output): cannot be created: \(Exit.reason(error.errno)); give the path of a file that can be written"
      )
      throw Exit.cannotCreate
    }
  }

  private func close(_ writer: TraceWriter, _ footer: FooterLine) throws {
    if let code = writer.close(footer: footer) {
      Exit.complain("\(output): cannot be written: \(Exit.reason(code)); free space and try again")
      throw Exit.inputOutput
    }
  }
}
