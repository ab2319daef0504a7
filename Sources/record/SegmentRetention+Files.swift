import Glibc
import Trace

extension SegmentRetention {
  /// Removes the segments of a recording that are no longer kept; returns `errno` of one that can't be removed.
  func apply(to names: SegmentNames) -> Int32? {
    guard !isEmpty else { return nil }
    let now = time(nil)
    // Somebody else's file may have such a name.
    let closed = names.numbers().filter(names.isSegment).compactMap { number in
      SegmentRetention.facts(names.closed(number)).map { facts in
        Segment(
          number: number, size: Int(facts.st_size),
          age: .seconds(max(0, now - facts.st_mtim.tv_sec)))
      }
    }
    let open = SegmentRetention.facts(names.open).map { Int($0.st_size) } ?? 0
    for number in expired(closed, open: open) {
      guard unsafe unlink(names.closed(number)) != 0, errno != ENOENT else { continue }
      return errno
    }
    return nil
  }

  private static func facts(_ path: String) -> stat? {
    var facts = stat()
    // Fills in the structure it is given.
    return unsafe stat(path, &facts) == 0 ? facts : nil
  }
}
