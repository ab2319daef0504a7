import Basics
import Trace

/// Where values were seen first in a session: in an answer, or said by the agent itself.
///
/// An open hash table with one stretch of bytes for all paths. A full one forgets its older half.
struct ValueTable {
  /// The answer that has a value.
  struct Origin {
    /// `n` of the answer, and when it was complete.
    var n: Int
    var done: Int64
    /// How far the value is from standing there as it is: 0 whole, 1 in JSON inside a text, 2 in a longer text.
    var rank: UInt8
  }

  private struct Entry {
    var hash: UInt64
    var done: Int64
    /// -1 for what the agent said.
    var n: Int32
    var text: UInt32
    var path: UInt16
    var before: UInt8
    var after: UInt8
    var rank: UInt8
  }

  /// Values, and bytes of paths, that are kept.
  private static let entryLimit = 4096
  private static let textLimit = 256 << 10

  private var entries: [Entry] = []
  private var text: [UInt8] = []
  /// Index in `entries` plus one, by hash; as many as a power of two.
  private var slots: [UInt32] = []

  /// How often older values were forgotten.
  private(set) var losses = 0

  /// Memory in use, bytes.
  var size: Int { entries.count * 32 + slots.count * 4 + text.count }

  /// Where the value of a request came from, as far as it was known at `t`, without its place in the request. When it came from
  /// no answer, `nil`: the agent said it.
  mutating func use(_ hash: UInt64, at t: Int64) -> ValueUse? {
    guard let i = index(hash) else {
      makeRoom()
      insert(Entry(hash: hash, done: 0, n: -1, text: 0, path: 0, before: 0, after: 0, rank: 0))
      return nil
    }
    let entry = entries[i]
    guard entry.n >= 0, entry.done <= t else { return nil }
    let text = text.span
    let path = Int(entry.text)
    let before = path + Int(entry.path)
    let after = before + Int(entry.before)
    var use = ValueUse(at: "", from: Int(entry.n), path: ByteScan.string(text, path..<before))
    if entry.rank == 2 {
      use.within = .init(
        before: ByteScan.string(text, before..<after),
        after: ByteScan.string(text, after..<after + Int(entry.after)))
    }
    return use
  }

  /// Notes where an answer has a value, unless it was known before; of what the protocol passes on the latest answer counts.
  mutating func found(
    _ hash: UInt64, _ origin: Origin, path: Span<UInt8>, isProtocol: Bool = false
  ) {
    found(hash, origin, path: path, .none, of: path, isProtocol: isProtocol)
  }

  /// The same of a value in a longer text, with what is around it there.
  mutating func found(
    _ hash: UInt64, _ origin: Origin, path: Span<UInt8>, _ around: ValueSurroundings,
    of whole: Span<UInt8>, isProtocol: Bool = false
  ) {
    guard let n = Int32(exactly: origin.n), let pathCount = UInt16(exactly: path.count),
      let before = UInt8(exactly: around.before.count),
      let after = UInt8(exactly: around.after.count)
    else { return }
    let old = index(hash)
    if let old {
      let known = entries[old]
      let isBetter = known.n == n ? origin.rank < known.rank : origin.done < known.done
      guard isProtocol ? origin.done >= known.done : known.n >= 0 && isBetter else { return }
    }
    if old == nil { makeRoom() }
    guard let place = UInt32(exactly: text.count) else { return }
    ByteScan.append(path, to: &text)
    ByteScan.append(whole.extracting(around.before), to: &text)
    ByteScan.append(whole.extracting(around.after), to: &text)
    let entry = Entry(
      hash: hash, done: origin.done, n: n, text: place, path: pathCount, before: before,
      after: after, rank: origin.rank)
    if let old { entries[old] = entry } else { insert(entry) }
  }

  private func index(_ hash: UInt64) -> Int? {
    guard !slots.isEmpty else { return nil }
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let i = Int(slots[slot]) - 1
      if entries[i].hash == hash { return i }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private mutating func makeRoom() {
    if entries.count >= ValueTable.entryLimit || text.count > ValueTable.textLimit { forget() }
  }

  private mutating func insert(_ entry: Entry) {
    entries.append(entry)
    if entries.count * 2 > slots.count { rebuild() } else { link(entries.count - 1) }
  }

  private mutating func rebuild() {
    slots = Array(repeating: 0, count: max(64, slots.count * 2))
    for i in entries.indices { link(i) }
  }

  private mutating func link(_ i: Int) {
    var slot = Int(truncatingIfNeeded: entries[i].hash) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = UInt32(truncatingIfNeeded: i + 1)
  }

  /// Forgets the older half.
  private mutating func forget() {
    losses += 1
    var kept: [Entry] = []
    var keptText: [UInt8] = []
    for entry in entries.suffix(entries.count / 2) {
      var entry = entry
      let start = Int(entry.text)
      let count = Int(entry.path) + Int(entry.before) + Int(entry.after)
      entry.text = UInt32(truncatingIfNeeded: keptText.count)
      keptText += text[start..<start + count]
      kept.append(entry)
    }
    entries = kept
    text = keptText
    slots = []
    if !entries.isEmpty {
      slots = Array(repeating: 0, count: 64)
      while slots.count < entries.count * 2 { slots += slots }
      for i in entries.indices { link(i) }
    }
  }
}
