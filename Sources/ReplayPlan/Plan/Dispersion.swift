/// Variance by mean of counts.
public enum Dispersion {
  /// Fewest windows that an index is given for.
  private static let fewestWindows = 30

  /// Returns the index of dispersion of counts in bins, in windows of `window` bins that lie within one of `ranges` of bins;
  /// `nil` below 30 windows, or of nothing.
  public static func index<Count: BinaryInteger>(
    _ counts: [Count], window: Int, within ranges: [Range<Int>]
  ) -> Double? {
    var n = 0
    var sum = 0.0
    var squares = 0.0
    for range in ranges {
      var at = range.lowerBound
      while at + window <= min(range.upperBound, counts.count) {
        var count = 0.0
        for bin in at..<at + window { count += Double(counts[bin]) }
        n += 1
        sum += count
        squares += count * count
        at += window
      }
    }
    guard n >= fewestWindows, sum > 0 else { return nil }
    let mean = sum / Double(n)
    return (squares - sum * mean) / Double(n - 1) / mean
  }
}
