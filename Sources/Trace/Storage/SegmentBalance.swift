/// Shares the balance of a recording among its segments, so that theirs add up to it.
///
/// Bytes are told in the segment in which it became clear what they are: what is still under way when a segment ends belongs to
/// a later one, and each segment's balance closes.
public struct SegmentBalance: Sendable {
  private var told = FooterLine(counts: [:], bytesIn: 0, bytesExplained: 0, loss: [:])

  /// Creates the balance of a recording without segments so far.
  public init() {}

  /// Returns the footer of a segment that ends while the recording goes on, which amounts to `total` by now.
  public mutating func next(_ total: FooterLine) -> FooterLine {
    var part = rest(total)
    part.packets = nil
    part.tcpBytes = nil
    part.extra = []
    part.bytesIn = part.bytesExplained + part.loss.values.reduce(0) { $0 + $1.bytes }
    told.bytesIn += part.bytesIn
    told.bytesExplained += part.bytesExplained
    told.add(part.loss)
    return part
  }

  /// Returns the footer of the last segment; counts of packets are there, of the whole recording.
  public func rest(_ total: FooterLine) -> FooterLine {
    var part = total
    part.bytesIn -= told.bytesIn
    part.bytesExplained -= told.bytesExplained
    for (kind, loss) in told.loss {
      part.loss[kind]?.count -= loss.count
      part.loss[kind]?.bytes -= loss.bytes
    }
    part.loss = part.loss.filter { $0.value.count != 0 || $0.value.bytes != 0 }
    return part
  }
}
