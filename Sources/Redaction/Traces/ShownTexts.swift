import Basics
import Trace

/// The texts of answers in which something was replaced: what surrounds a value is kept only where it still stands there.
///
/// Memory is bounded; of what was forgotten nothing is kept.
struct ShownTexts {
  private var texts: [UInt64: [UInt8]] = [:]
  private var order: [UInt64] = []
  private var head = 0
  private var size = 0
  private var changed: Set<UInt64> = []
  private var isFull = false

  /// Bytes of texts, and how many texts are known to have changed.
  private static let sizeLimit = 32 << 20
  private static let countLimit = 1 << 20

  /// Notes what was replaced in an answer.
  mutating func note(_ session: String?, _ n: Int, _ changes: [RedactedPayload.Change]) {
    for change in changes {
      let place = ShownTexts.place(session, n, change.path)
      if changed.count >= ShownTexts.countLimit { isFull = true }
      if !isFull { changed.insert(place) }
      guard texts.updateValue(change.text, forKey: place) == nil else { continue }
      order.append(place)
      size += change.text.count
      while size > ShownTexts.sizeLimit, head < order.count {
        size -= texts.removeValue(forKey: order[head])?.count ?? 0
        head += 1
      }
      if head > 1024, head > order.count / 2 {
        order.removeFirst(head)
        head = 0
      }
    }
  }

  /// Whether the surroundings of a value stand in the text as it is shown.
  func holds(_ around: ValueUse.Surroundings, _ session: String?, _ n: Int, _ path: String) -> Bool
  {
    let place = ShownTexts.place(session, n, Array(path.utf8))
    guard isFull || changed.contains(place) else { return true }
    guard let text = texts[place] else { return false }
    return ShownTexts.holds(around, text)
  }

  /// Whether surroundings stand in a text.
  static func holds(_ around: ValueUse.Surroundings, _ text: [UInt8]) -> Bool {
    let text = String(decoding: text, as: UTF8.self)
    return text.contains(around.before) && text.contains(around.after)
  }

  private static func place(_ session: String?, _ n: Int, _ path: [UInt8]) -> UInt64 {
    ByteScan.hash((Array("\(session ?? "")\n\(n)\n".utf8) + path).span)
  }
}
