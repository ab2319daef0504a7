import Basics
import Trace

/// The balance of several traces.
enum JoinedFooter {
  /// The sum of `footers`; counts of lines are the writer's.
  static func of(_ footers: [FooterLine]) -> FooterLine {
    var sum = FooterLine(counts: [:], bytesIn: 0, bytesExplained: 0, loss: [:])
    for footer in footers {
      sum.bytesIn &+= footer.bytesIn
      sum.bytesExplained &+= footer.bytesExplained
      sum.add(footer.loss)
      sum.packets = added(sum.packets, footer.packets)
      sum.tcpBytes = added(sum.tcpBytes, footer.tcpBytes)
      sum.extra = added(sum.extra, footer.extra)
    }
    return sum
  }

  /// The sum of two sets of counters.
  static func added(_ a: [String: Int]?, _ b: [String: Int]?) -> [String: Int]? {
    guard let a, let b else { return a ?? b }
    return a.merging(b, uniquingKeysWith: &+)
  }

  /// The sum of what only their writers know: of counters, and of objects of counters. Of others the first is kept.
  static func added(_ a: [ExtraMember], _ b: [ExtraMember]) -> [ExtraMember] {
    var sum = a
    for member in b {
      if let i = sum.firstIndex(where: { $0.key == member.key }) {
        sum[i].value = RawJSON(added(sum[i].value.value, member.value.value))
      } else {
        sum.append(member)
      }
    }
    return sum
  }

  private static func added(_ a: JSONValue, _ b: JSONValue) -> JSONValue {
    if let a = a.int, let b = b.int { return .int(Int(a &+ b)) }
    guard var members = a.members, let others = b.members else { return a }
    for other in others {
      if let i = members.firstIndex(where: { $0.key == other.key }) {
        members[i].value = added(members[i].value, other.value)
      } else {
        members.append(other)
      }
    }
    return .object(members)
  }
}
