public import Basics

/// The first line of every file or segment.
public struct HeaderLine: Hashable, Sendable {
  /// Where the traffic came from.
  public enum Source: String, CaseIterable, Hashable, Sendable {
    /// The recording proxy.
    case proxy
    /// A capture file.
    case pcap
    /// A live capture.
    case live
    /// A wrapped stdio server.
    case stdio
    /// A replay's own record.
    case replay
  }

  /// What of the payloads is kept.
  public enum Payloads: String, CaseIterable, Hashable, Sendable {
    /// Everything.
    case full
    /// Structure without values.
    case shape
    /// Nothing.
    case none
  }

  /// Name and version of the program that wrote the trace.
  public var recorder: String
  /// Where the traffic came from.
  public var source: Source
  /// The instant that every `t` counts from.
  public var t0: Timestamp
  /// Number of this segment from 1, when the recording is segmented.
  public var segment: Int?
  /// Files that were read.
  public var inputs: [String]?
  /// How credentials were replaced: `{mode, key_id, rules[]}`.
  public var redaction: JSONValue?
  /// What of the payloads is kept.
  public var payloads: Payloads?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates the header of a new trace.
  public init(recorder: String, source: Source, t0: Timestamp) {
    self.recorder = recorder
    self.source = source
    self.t0 = t0
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    guard try fields.string("format") == "mcptrace" else { throw TraceFormatError(.notATrace) }
    let version = try fields.int("version")
    guard version <= 1 else { throw TraceFormatError(.laterVersion(version)) }
    guard version == 1 else { throw TraceFormatError(.wrongType(key: "version", expected: "1")) }
    recorder = try fields.string("recorder")
    source = try fields.required("source")
    guard let instant = Timestamp(rfc3339: try fields.string("t0")) else {
      throw TraceFormatError(.wrongType(key: "t0", expected: "UTC with Z"))
    }
    t0 = instant
    segment = try fields.optionalInt("segment")
    inputs = try fields.optionalStrings("inputs")
    redaction = fields.optionalRaw("redaction")?.value
    payloads = try fields.optionalCase("payloads")
    extra = fields.rest
  }

  func write(to object: inout JSONWriter) {
    object.member("format", "mcptrace")
    object.member("version", 1)
    object.member("recorder", recorder)
    object.member("source", source.rawValue)
    object.member("t0", t0.description)
    object.member("segment", segment)
    object.member("inputs", inputs)
    object.member("redaction", redaction)
    object.member("payloads", payloads?.rawValue)
    object.extra(extra)
  }
}
