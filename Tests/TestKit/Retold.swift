public import Dissection
public import Trace

/// What a retelling made of traces.
public struct Retold: Sendable {
  /// All lines but header and footer, in the order written.
  public var events: [TraceEvent]
  /// The balance, without counts.
  public var footer: FooterLine
  /// What the clocks were put right by.
  public var clocks: [ClockOffset]

  /// Retells whole traces, which begin with their headers.
  ///
  /// - Throws: what makes them unfit.
  public init(_ traces: [TraceEvent]...) throws {
    let views = try traces.map { trace in
      guard case .header(let header) = trace.first else { throw TraceFormatError(.notATrace) }
      let view = RecorderView(header)
      for (i, event) in trace.enumerated().dropFirst() {
        try view.note(event, at: LinePlace(offset: i, length: 0))
      }
      view.close()
      return view
    }
    clocks = ClockOffset.estimate(views.map(\.clock))
    let lines = TraceLines(.events)
    let retelling = Retelling(
      views, offsets: clocks.map(\.offset), options: DissectionOptions(redactor: nil),
      lines: lines)
    while try retelling.next({ traces[$0][$1.offset] }) {}
    events = lines.takeEvents()
    footer = retelling.footer
  }

  /// Requests.
  public var requests: [RequestLine] {
    events.compactMap { if case .request(let line) = $0 { line } else { nil } }
  }
  /// Responses.
  public var responses: [ResponseLine] {
    events.compactMap { if case .response(let line) = $0 { line } else { nil } }
  }
  /// Session ends.
  public var ends: [EndLine] {
    events.compactMap { if case .end(let line) = $0 { line } else { nil } }
  }
}
