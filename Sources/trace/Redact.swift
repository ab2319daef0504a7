public import ArgumentParser
import Basics
import CommandSupport
import Glibc
import Redaction
public import Trace

/// `trace redact`
struct Redact: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replace credentials, and what rules name, by surrogates.",
    discussion: """
      Does to traces what 'record' does with the same rules and key. Credentials (headers, cookies, query parameters, session \
      ids, those in '_meta' and in bodies that are no message) are always replaced, unless the trace has surrogates of \
      this key already. Equal values get equal surrogates of the same type and length, so bindings ('uses') go on to hold; \
      those whose surrounding text was replaced are dropped. Lines and keys of later versions are kept; texts in them are \
      looked into. 'redacted' of a request names what of its params is a surrogate.

      Example: trace redact live.mcptrace --redact secrets --redact /params/arguments/**/email --output shared.mcptrace

      Exit codes: 0 done, 64 wrong usage, 65 unreadable input, 73 cannot create the output, 74 I/O error.
      """)

  @Argument(help: "Traces to redact; '-' is standard input.", completion: .file())
  var files: [String]

  @Option(
    name: .shortAndLong,
    help: """
      The trace to write, created with mode 0600; '-' is standard output. For several traces a folder, in which each gets its name. \
      A name that ends in .zst is compressed.
      """)
  var output: String

  @OptionGroup var compression: CompressionOptions

  @OptionGroup var redaction: RedactionOptions

  @Option(
    help: "What of params, results and errors is kept: full, shape (surrogates alone) or none.")
  var payloads = HeaderLine.Payloads.full

  @Flag(name: .shortAndLong, help: "Only errors on standard error.")
  var quiet = false

  func run() throws {
    let rules = try redaction.rules()
    let key = try key()
    for file in files {
      let path = try path(for: file)
      let reader: TraceReader
      do {
        reader = try TraceReader(path: file)
      } catch {
        throw Exit.report(error, file: file)
      }
      let lines = try rewrite(
        reader, file, to: path, TraceRedactor(key: key, rules: rules, payloads: payloads))
      if !quiet, path != "-" { Exit.complain("\(file): \(lines) lines, written to \(path)") }
    }
  }

  private func rewrite(
    _ reader: TraceReader, _ file: String, to path: String, _ redactor: TraceRedactor
  ) throws -> Int {
    var writer: TraceWriter?
    var lines = 0
    do {
      while let event = try reader.next() {
        // Created behind the first line: what is no trace leaves nothing behind.
        let output = try writer ?? create(path)
        writer = output
        output.write(redactor.redacted(event))
        lines += 1
      }
    } catch let error as TraceFormatError {
      writer?.flush()
      throw Exit.report(error, file: file)
    }
    Exit.warnTornTail(reader.tornTail, file: file)
    writer?.flush()
    if let errno = writer?.failure {
      Exit.complain("\(path): cannot be written: \(Exit.reason(errno)); free space and try again")
      throw Exit.inputOutput
    }
    return lines
  }

  private func create(_ path: String) throws -> TraceWriter {
    do throws(TraceWriter.CreationError) {
      return try TraceWriter(path: path, level: compression.level)
    } catch {
      Exit.complain(
        "\(path): cannot be created: \(Exit.reason(error.errno)); choose another --output")
      throw Exit.cannotCreate
    }
  }

  /// Where the redacted trace of a file goes.
  private func path(for file: String) throws -> String {
    var path = output
    if files.count > 1 {
      let name = file.split(separator: "/").last.map(String.init) ?? file
      var info = stat()
      guard output != "-", name != "-", unsafe stat(output, &info) == 0,
        info.st_mode & S_IFMT == S_IFDIR
      else {
        Exit.complain("\(output): is no folder; for several traces --output must be one")
        throw ExitCode(64)
      }
      path = output + "/" + name
    }
    guard !isSame(file, path) else {
      Exit.complain("\(path): is the trace to redact; give another --output")
      throw ExitCode(64)
    }
    return path
  }

  private func isSame(_ file: String, _ path: String) -> Bool {
    var (a, b) = (stat(), stat())
    guard file != "-", path != "-", unsafe stat(file, &a) == 0, unsafe stat(path, &b) == 0 else {
      return false
    }
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_mode & S_IFMT == S_IFREG
  }

  private func key() throws -> RedactionKey {
    do throws(RedactionKey.FileError) {
      return try redaction.key()
    } catch {
      Exit.complain("\(error)")
      throw Exit.unreadable
    }
  }
}

extension HeaderLine.Payloads: ExpressibleByArgument {}
