/// Values by number, where numbers are given out in order and few are in use at once, most of them the latest.
///
/// A number's place is its lowest bits; a value that is still there when its place is wanted moves to a dictionary. So nearly
/// every look costs no hash.
public struct RecentTable<Value> {
  private struct Item {
    var key: Int
    var value: Value
  }

  private static var size: Int { 1024 }

  private var recent = [Item?](repeating: nil, count: size)
  private var older: [Int: Value] = [:]

  /// Creates an empty table.
  public init() {}

  /// The numbers in use, in no order.
  public var keys: [Int] { recent.compactMap { $0?.key } + older.keys }

  /// The value of a number.
  public subscript(_ key: Int) -> Value? {
    if let item = recent[key & (RecentTable.size - 1)], item.key == key { return item.value }
    return older.isEmpty ? nil : older[key]
  }

  /// Adds a value, in place of one with the same number.
  public mutating func insert(_ value: Value, _ key: Int) {
    let place = key & (RecentTable.size - 1)
    if !older.isEmpty { older[key] = nil }
    if let item = recent[place], item.key != key { older[item.key] = item.value }
    recent[place] = Item(key: key, value: value)
  }

  /// Removes a number; returns its value.
  @discardableResult
  public mutating func remove(_ key: Int) -> Value? {
    let place = key & (RecentTable.size - 1)
    guard let item = recent[place], item.key == key else { return older.removeValue(forKey: key) }
    recent[place] = nil
    return item.value
  }
}
