/// Values by number, where numbers are given out in order and few are in use at once, most of them the latest.
///
/// A number's place is its lowest bits; a value that is still there when its place is wanted moves to a dictionary. So nearly
/// every look costs no hash.
public struct RecentTable<Value> {
  private static var size: Int { 1024 }

  // Numbers apart from values: to compare a number counts no reference.
  private var numbers = [Int?](repeating: nil, count: size)
  private var values = [Value?](repeating: nil, count: size)
  private var older: [Int: Value] = [:]

  /// Creates an empty table.
  public init() {}

  /// The numbers in use, in no order.
  public var keys: [Int] { numbers.compactMap(\.self) + older.keys }

  /// The value of a number.
  public subscript(_ key: Int) -> Value? {
    let place = key & (RecentTable.size - 1)
    if numbers[place] == key { return values[place] }
    return older.isEmpty ? nil : older[key]
  }

  /// Adds a value, in place of one with the same number.
  public mutating func insert(_ value: Value, _ key: Int) {
    let place = key & (RecentTable.size - 1)
    if !older.isEmpty { older[key] = nil }
    if let number = numbers[place], number != key { older[number] = values[place] }
    numbers[place] = key
    values[place] = value
  }

  /// Removes a number; returns its value.
  @discardableResult
  public mutating func remove(_ key: Int) -> Value? {
    let place = key & (RecentTable.size - 1)
    guard numbers[place] == key else { return older.removeValue(forKey: key) }
    numbers[place] = nil
    return values[place].take()
  }
}
