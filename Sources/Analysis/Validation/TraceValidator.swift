public import Basics
public import Trace

/// Checks a trace against the schema of its lines and against what the format says about lines together.
///
/// Theory: each line is checked alone as it comes (schema, outcome), and what concerns several lines when the
/// file has ended, for their order in the file means nothing. Payloads are not kept. Observed traffic may be odd
/// and the trace of it still be right: what a trace must not do is contradict itself. A file that was not closed
/// (no footer) may lack the lines that were still to come, so absent ones are errors only behind a footer.
public struct TraceValidator {
  private let schema: JSONSchema
  private var findings: Findings
  private var sessions: [String?: SessionLedger] = [:]
  private var exchanges = ExchangeLedger()
  private var footers = FooterLedger()
  private var source: HeaderLine.Source?
  private var isSegmented = false
  /// True when lines that others refer to were never written (a full disk).
  private var lacksLines = false

  /// Starts a validation that lists at most `limit` errors.
  public init(limit: Int = 100) {
    findings = Findings(limit: limit)
    do {
      guard let text = JSONValue(parsing: TraceSchema.text) else {
        preconditionFailure("the schema that ships is no JSON")
      }
      schema = try JSONSchema(text)
    } catch {
      preconditionFailure("the schema that ships uses \(error.keyword), which is not supported")
    }
  }

  /// Validates the trace at `path` (`-` is standard input).
  ///
  /// - Throws: `TraceFormatError` for what is no trace of version 1, or cannot be read to its end.
  public static func validate(
    path: String, limit: Int = 100
  ) throws(TraceFormatError) -> ValidationReport {
    let reader = try TraceReader(path: path)
    var validator = TraceValidator(limit: limit)
    var hasHeader = false
    reading: while true {
      do throws(TraceFormatError) {
        guard let event = try reader.next() else { break reading }
        hasHeader = true
        validator.read(event, text: reader.text, line: reader.line)
      } catch {
        switch error.reason {
        case .notJSON, .missing, .wrongType: validator.reject(error)
        case .notATrace, .laterVersion, .io, .lineTooLong, .damaged: throw error
        }
      }
    }
    guard hasHeader else { throw TraceFormatError(.notATrace, line: 1, offset: 0) }
    return validator.finish(lines: reader.line, tornTail: reader.tornTail)
  }

  /// Takes a line that could not be read.
  public mutating func reject(_ error: TraceFormatError) {
    let line = error.line
    findings.error(line, TraceFormatError(error.reason).description)
  }

  /// Takes the next line. `text` is the line as it stands in the file, `nil` to check the event alone.
  public mutating func read(_ event: TraceEvent, text: RawJSON?, line: Int) {
    if let failure = schema.check((text ?? event.line).value) {
      findings.error(line, failure.description)
    }
    if case .response(let response) = event {
      OutcomeRules.check(response, source: source, line: line, &findings)
    }
    footers.count(event, line: line, &findings)
    let event = event.outlined
    exchanges.add(event, line: line)
    switch event {
    case .header(let header):
      source = header.source
      if header.segment != nil { isSegmented = true }
    case .session(let value): update(value.session) { $0.announce(value) }
    case .request(let value): update(value.session) { $0.requests.append(.init(line, value)) }
    case .response(let value): update(value.session) { $0.responses.append(.init(line, value)) }
    case .notification(let value):
      update(value.session) { $0.notifications.append(.init(line, value)) }
    case .http(let value): update(value.session) { $0.http.append(.init(line, value)) }
    case .end(let value): update(value.session) { $0.ends.append(line) }
    case .loss(let value):
      if value.kind == TraceWriter.notWritten { lacksLines = true }
      if let session = value.session { update(session) { $0.mentions.append(line) } }
    case .connection, .sse, .exchange, .footer, .unknown: break
    }
  }

  private mutating func update(_ session: String?, _ change: (inout SessionLedger) -> Void) {
    change(&sessions[session, default: SessionLedger()])
  }

  /// Checks what concerns several lines and returns what was found.
  public consuming func finish(lines: Int, tornTail: Int) -> ValidationReport {
    let isClosed = footers.isClosed
    let isWhole = isClosed && !isSegmented && !lacksLines
    for (name, ledger) in sessions.sorted(by: { ($0.key ?? "") < ($1.key ?? "") }) {
      ledger.check(name: name, isWhole: isWhole, lacksLines: lacksLines, &findings)
    }
    exchanges.check(isWhole: isWhole, &findings)
    if !isClosed { findings.warning(nil, "there is no footer: the recorder was stopped hard") }
    if tornTail > 0 {
      findings.warning(lines, "the trace is cut off at its end (\(tornTail) bytes)")
    }
    var report = ValidationReport()
    report.lines = tornTail > 0 ? lines - 1 : lines
    report.sessions = sessions.keys.count { $0 != nil }
    report.errors = findings.errors.sorted { ($0.line ?? .max) < ($1.line ?? .max) }
    report.errorCount = findings.errorCount
    report.warnings = findings.warnings
    return report
  }
}

/// A line's content with its number.
struct Numbered<Content> {
  let line: Int
  let content: Content

  init(_ line: Int, _ content: Content) {
    self.line = line
    self.content = content
  }
}
