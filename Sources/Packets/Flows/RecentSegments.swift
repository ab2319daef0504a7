import Basics

/// Tells packets that were captured twice from packets that were sent twice.
///
/// Theory: `-i any`, mirror ports and bridges show one packet at several places within milliseconds: TCP header, IPv4
/// identification and length are the same, the hop limit and tags may differ. A sender that repeats bytes makes another
/// packet: its identification, acknowledgement or time stamp (RFC 7323) differs. A table of fixed size keeps a
/// fingerprint of what was seen last, two to a place; of what falls on the same place the last two are remembered.
struct RecentSegments {
  private struct Entry {
    var fingerprint: UInt64 = 0
    var at = Timestamp(nanoseconds: .min)

    /// Whether it is that packet, seen within the last moments.
    func isSame(_ sum: UInt64, _ time: Timestamp) -> Bool {
      let elapsed = time.nanoseconds &- at.nanoseconds
      return fingerprint == sum && elapsed.magnitude <= UInt64(Patience.duplicate)
    }
  }

  private struct Pair {
    var last = Entry()
    var former = Entry()
  }

  /// With two to a place enough for ten milliseconds of 400 000 packets a second.
  private static let bits = 11
  private var places = [Pair](repeating: Pair(), count: 1 << RecentSegments.bits)

  /// Returns whether the packet was seen within the last moments, and remembers it.
  @inline(__always)
  mutating func isDuplicate(
    _ bytes: Span<UInt8>, _ ip: IPView, _ tcp: TCPView, _ seed: HashSeed, at: Timestamp
  ) -> Bool {
    // A sum of products with secret factors; the last word overlaps the one before it.
    var sum = (ip.source.low ^ ip.source.high) &* seed[3]
    sum &+= (ip.destination.low ^ ip.destination.high &+ UInt64(ip.identification) << 48) &* seed[2]
    sum = (sum ^ sum >> 32) &+ UInt64(tcp.captured) << 32
    let end = tcp.payload
    var i = tcp.header
    var k = 0
    while i + 8 <= end {
      sum &+= bytes.bigEndian64(at: i) &* seed[k]
      i += 8
      k += 1
    }
    sum = (sum ^ sum >> 29) &* seed[1]
    sum &+= bytes.bigEndian64(at: end - 8) &* seed[0]
    sum ^= sum >> 32
    let place = Int(truncatingIfNeeded: (sum &* seed[2]) >> UInt64(64 - RecentSegments.bits))
    let old = places[place]
    places[place].last = Entry(fingerprint: sum, at: at)
    if old.last.fingerprint == sum { return old.last.isSame(sum, at) }
    places[place].former = old.last
    return old.former.isSame(sum, at)
  }
}
