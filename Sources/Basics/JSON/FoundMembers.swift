/// Where members of an object lie that are looked for: found while the text around it was checked, so that it is read once.
public struct FoundMembers: Sendable {
  private struct Place {
    var from: UInt32 = 0
    var to: UInt32 = 0
  }

  /// Most that are noted; objects that have more of those looked for are read again. Few, as messages are copied a lot.
  private static let limit = 4

  private var places: [4 of Place] = .init(repeating: Place())
  private var names: [4 of UInt8] = .init(repeating: 0)
  private var count: UInt8 = 0
  /// False when there are more than were noted.
  private(set) var areAll = true

  /// Notes the value of the name of that index; places count from the object's beginning.
  private mutating func add(_ name: Int, _ from: Int, _ to: Int) {
    guard count < FoundMembers.limit, let name = UInt8(exactly: name),
      let from = UInt32(exactly: from), let to = UInt32(exactly: to)
    else {
      areAll = false
      return
    }
    places[Int(count)] = Place(from: from, to: to)
    names[Int(count)] = name
    count += 1
  }

  /// Walks the object that starts at `start`, nested in another, and returns the index behind it; `nil` when it is none.
  mutating func find(
    _ names: borrowing JSONNames, _ bytes: Span<UInt8>, _ start: Int, _ isSpaced: inout Bool
  ) -> Int? {
    var keys = JSONScan.Members(bytes, start)
    while let key = keys.next(bytes, &isSpaced) {
      let value = keys.index
      guard let end = JSONScan.skipValue(bytes, value, depth: 2, isSpaced: &isSpaced) else {
        return nil
      }
      if let name = names.index(bytes, key) { add(name, value - start, end - start) }
      keys.skip(to: end)
    }
    return keys.end
  }

  /// Says that a byte is taken out of the object, outside of strings: what lies behind it moves up.
  mutating func remove(_ place: Int) {
    for i in 0..<Int(count) {
      if Int(places[i].from) > place { places[i].from -= 1 }
      if Int(places[i].to) > place { places[i].to -= 1 }
    }
  }

  /// The value of the last member with the name of that index.
  public func value(_ index: Int, in object: RawJSON) -> RawJSON? {
    for i in (0..<Int(count)).reversed() where Int(names[i]) == index {
      return object.slice(Int(places[i].from), Int(places[i].to))
    }
    return nil
  }

  /// Whether there is a member with the name of that index.
  public func has(_ index: Int) -> Bool {
    for i in 0..<Int(count) where Int(names[i]) == index { return true }
    return false
  }

  /// Calls `body` for each member of the object that they were found in, in order, with the index of its name.
  public func forEach(in object: RawJSON, _ body: (_ index: Int, _ value: RawJSON) -> Void) {
    for i in 0..<Int(count) {
      body(Int(names[i]), object.slice(Int(places[i].from), Int(places[i].to)))
    }
  }
}
