import Basics

/// The last line: counts of the whole file. The balance closes: `bytes_in` is `bytes_explained` plus the
/// bytes of every loss.
public struct FooterLine: Hashable, Sendable {
  /// What a loss counter sums up.
  public struct Loss: Hashable, Sendable {
    /// How often.
    public var count: Int
    /// Bytes of the streams concerned.
    public var bytes: Int

    /// Creates a counter.
    public init(count: Int, bytes: Int) {
      self.count = count
      self.bytes = bytes
    }
  }

  /// Lines of every type; a stream's two http lines, and a connection's or session's repetitions, count each.
  public var counts: [String: Int]
  /// Stream bytes that reached dissection.
  public var bytesIn: Int
  /// Those that are part of a message or exchange.
  public var bytesExplained: Int
  /// Every loss counter by name.
  public var loss: [String: Loss]
  /// Packets by class, when the source is a capture: `in` and classes that sum up to it.
  public var packets: [String: Int]?
  /// TCP payload bytes by class, when the source is a capture: `in` and classes that sum up to it.
  public var tcpBytes: [String: Int]?
  /// Keys of later versions.
  public var extra: [ExtraMember] = []

  /// Creates a footer.
  public init(counts: [String: Int], bytesIn: Int, bytesExplained: Int, loss: [String: Loss]) {
    self.counts = counts
    self.bytesIn = bytesIn
    self.bytesExplained = bytesExplained
    self.loss = loss
  }

  /// Adds what was lost elsewhere too.
  public mutating func add(_ losses: [String: Loss]) {
    loss.merge(losses) { Loss(count: $0.count + $1.count, bytes: $0.bytes + $1.bytes) }
  }

  /// Adds the balance of a later segment; packets are counted in the last.
  public mutating func add(_ later: FooterLine) {
    counts.merge(later.counts, uniquingKeysWith: +)
    bytesIn += later.bytesIn
    bytesExplained += later.bytesExplained
    add(later.loss)
    packets = later.packets ?? packets
    tcpBytes = later.tcpBytes ?? tcpBytes
    extra = later.extra.isEmpty ? extra : later.extra
  }

  init(_ fields: inout TraceFields) throws(TraceFormatError) {
    counts = try FooterLine.counters(&fields, "counts") ?? [:]
    bytesIn = try fields.int("bytes_in")
    bytesExplained = try fields.int("bytes_explained")
    loss = try FooterLine.losses(&fields)
    packets = try FooterLine.counters(&fields, "packets")
    tcpBytes = try FooterLine.counters(&fields, "tcp_bytes")
    extra = fields.rest
  }

  private static func counters(
    _ fields: inout TraceFields, _ key: String
  ) throws(TraceFormatError) -> [String: Int]? {
    guard let raw = fields.optionalRaw(key) else { return nil }
    guard let members = raw.value.members else {
      throw TraceFormatError(.wrongType(key: key, expected: "an object of counts"))
    }
    var counters: [String: Int] = [:]
    for member in members {
      guard let count = member.value.int else {
        throw TraceFormatError(.wrongType(key: key, expected: "an object of counts"))
      }
      counters[member.key] = Int(truncatingIfNeeded: count)
    }
    return counters
  }

  private static func losses(
    _ fields: inout TraceFields
  ) throws(TraceFormatError) -> [String: Loss] {
    let wrong = TraceFormatError(
      .wrongType(key: "loss", expected: "an object of {count, bytes} by kind"))
    guard let raw = fields.optionalRaw("loss") else { return [:] }
    guard let members = raw.value.members else { throw wrong }
    var losses: [String: Loss] = [:]
    for member in members {
      guard let count = member.value["count"]?.int, let bytes = member.value["bytes"]?.int else {
        throw wrong
      }
      losses[member.key] = Loss(
        count: Int(truncatingIfNeeded: count), bytes: Int(truncatingIfNeeded: bytes))
    }
    return losses
  }

  func write(to object: inout JSONWriter) {
    object.member("counts", FooterLine.json(counts))
    object.member("bytes_in", bytesIn)
    object.member("bytes_explained", bytesExplained)
    object.member(
      "loss",
      JSONValue.object(
        loss.sorted { $0.key < $1.key }.map { kind, loss in
          .init(
            kind,
            .object([.init("count", .int(loss.count)), .init("bytes", .int(loss.bytes))]))
        }))
    object.member("packets", packets.map(FooterLine.json))
    object.member("tcp_bytes", tcpBytes.map(FooterLine.json))
    object.extra(extra)
  }

  private static func json(_ counters: [String: Int]) -> JSONValue {
    .object(counters.sorted { $0.key < $1.key }.map { .init($0.key, .int($0.value)) })
  }
}
