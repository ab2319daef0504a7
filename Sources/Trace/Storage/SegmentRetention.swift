/// Which closed segments are removed; any limit alone is enough. The open one never is.
public struct SegmentRetention: Sendable {
  /// A closed segment.
  public struct Segment: Sendable {
    /// The number in its name.
    public var number: Int
    /// Bytes of the file.
    public var size: Int
    /// Time since it was closed.
    public var age: Duration

    /// Creates a segment.
    public init(number: Int, size: Int, age: Duration) {
      self.number = number
      self.size = size
      self.age = age
    }
  }

  /// Most closed segments.
  public var count: Int?
  /// Longest time since one was closed.
  public var age: Duration?
  /// Most bytes of all, with those of the open one.
  public var size: Int?
  /// True when everything is kept.
  public var isEmpty: Bool { count == nil && age == nil && size == nil }

  /// Keeps everything.
  public init() {}

  /// Returns the numbers of those that go, the oldest first; `open` are the bytes of the open segment.
  public func expired(_ closed: [Segment], open: Int) -> [Int] {
    let newestFirst = closed.sorted { $0.number > $1.number }
    var kept = 0
    var bytes = open
    for segment in newestFirst {
      bytes += segment.size
      let fits =
        count.map { kept < $0 } ?? true
        && age.map { segment.age <= $0 } ?? true
        && size.map { bytes <= $0 } ?? true
      // What is older goes too, so that what is left has no hole.
      guard fits else { break }
      kept += 1
    }
    return newestFirst.dropFirst(kept).map(\.number).reversed()
  }
}
