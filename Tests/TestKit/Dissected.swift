public import Basics
public import Dissection
public import Trace

/// What a dissection made of flow events, sorted by kind.
public struct Dissected: Sendable {
  /// All events in the order written.
  public var events: [TraceEvent] = []
  /// The balance.
  public var footer: FooterLine

  /// Plays events into a dissector and ends it where they end.
  public init(
    _ flow: [FlowEvent], t0: Timestamp = FlowScript.start,
    options: DissectionOptions = DissectionOptions(redactor: nil)
  ) {
    let lines = TraceLines(.events)
    let dissector = Dissector(t0: t0, options: options, lines: lines)
    var latest = t0
    for event in flow {
      latest = max(latest, event.time)
      dissector.append(event)
    }
    dissector.finish(at: latest)
    events = lines.takeEvents()
    footer = dissector.footer
  }

  /// Requests.
  public var requests: [RequestLine] {
    events.compactMap { if case .request(let line) = $0 { line } else { nil } }
  }
  /// Responses.
  public var responses: [ResponseLine] {
    events.compactMap { if case .response(let line) = $0 { line } else { nil } }
  }
  /// Notifications.
  public var notifications: [NotificationLine] {
    events.compactMap { if case .notification(let line) = $0 { line } else { nil } }
  }
  /// HTTP lines.
  public var http: [HTTPLine] {
    events.compactMap { if case .http(let line) = $0 { line } else { nil } }
  }
  /// Final session lines, in order of first sight.
  public var sessions: [SessionLine] {
    var merged: [SessionLine] = []
    for case .session(let line) in events {
      if let at = merged.firstIndex(where: { $0.session == line.session }) {
        merged[at] = merged[at].updated(by: line)
      } else {
        merged.append(line)
      }
    }
    return merged
  }
  /// Session ends.
  public var ends: [EndLine] {
    events.compactMap { if case .end(let line) = $0 { line } else { nil } }
  }
  /// Loss lines.
  public var losses: [LossLine] {
    events.compactMap { if case .loss(let line) = $0 { line } else { nil } }
  }
  /// Outcomes by request `n`, as `session n: outcome`.
  public var outcomes: [String] {
    responses.sorted { ($0.session ?? "", $0.re) < ($1.session ?? "", $1.re) }
      .map { "\($0.session ?? "-") \($0.re): \($0.outcome.rawValue)" }
  }
  /// True when every stream byte is explained or counted.
  public var balances: Bool {
    footer.bytesIn == footer.bytesExplained + footer.loss.values.map(\.bytes).reduce(0, +)
  }
}

extension FlowEvent {
  /// The event's time.
  public var time: Timestamp {
    switch self {
    case .opened(_, _, let at), .bytes(_, _, _, let at), .gap(_, _, _, let at),
      .ended(_, _, _, let at):
      at
    }
  }
}
