import Basics
public import Trace

/// The header of several traces as one.
public enum JoinedHeader {
  /// Returns the header of the trace that `recorder` makes of `files`, with these headers. `offsets` are empty where the clocks were
  /// taken as they are. There must be one header.
  public static func of(
    _ headers: [HeaderLine], files: [String], recorder: String, offsets: [ClockOffset]
  ) -> HeaderLine {
    let all = offsets.isEmpty ? headers.map { _ in 0 } : offsets.map(\.offset)
    var header = HeaderLine(
      recorder: recorder, source: headers[0].source, t0: JoinedClock.t0(headers, all))
    header.inputs = files
    let redactions = headers.compactMap(\.redaction)
    if redactions.count == headers.count, redactions.allSatisfy({ $0 == redactions[0] }) {
      header.redaction = redactions[0]
    } else if !redactions.isEmpty {
      header.redaction = .object([
        .init("mode", .string("mixed")),
        .init("of", .array(headers.map { $0.redaction ?? .null })),
      ])
    }
    header.payloads = least(headers.map(\.payloads))
    if !offsets.isEmpty {
      let clocks = zip(files, offsets).map { file, clock in
        JSONValue.object(
          [
            .init("input", .string(file)), .init("offset", .number("\(clock.offset)")),
            .init("evidence", .int(clock.bounds)),
            .init("contradictions", .int(clock.contradictions)),
          ] + ends(clock))
      }
      header.extra = [ExtraMember(key: "clocks", value: RawJSON(.array(clocks)))]
    }
    return header
  }

  private static func ends(_ clock: ClockOffset) -> [JSONValue.Member] {
    [("low", clock.low), ("high", clock.high)].compactMap { key, value in
      value.map { .init(key, .number("\($0)")) }
    }
  }

  /// What all of them have: one that has less hides it of the whole.
  private static func least(_ payloads: [HeaderLine.Payloads?]) -> HeaderLine.Payloads? {
    let known = payloads.compactMap(\.self)
    if known.contains(.none) { return HeaderLine.Payloads.none }
    return known.contains(.shape) ? .shape : known.first
  }

  /// Says why sessions of traces with these headers cannot be inferred anew; `nil` where they can.
  public static func obstacle(_ headers: [HeaderLine]) -> String? {
    if headers.contains(where: { $0.source == .stdio }) {
      return "a process is a session: there is nothing to infer anew in a stdio trace"
    }
    let keys = Set(headers.map { $0.redaction?["key_id"]?.string ?? "" })
    if keys.count > 1 {
      return
        "the recorders redacted with different keys, so that equal credentials and sessions look different; "
        + "record with one --redaction-key FILE"
    }
    let payloads = Set(headers.map { $0.payloads ?? .full })
    if payloads.count > 1 {
      return "the recorders kept different payloads; record with one --payloads"
    }
    return nil
  }
}
