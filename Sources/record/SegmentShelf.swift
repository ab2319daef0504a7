import Glibc
import Trace

/// Gives the files of a recording in segments their names: a closed one gets the next number that is free, and none is ever
/// written over.
struct SegmentShelf {
  private let names: SegmentNames
  /// The number that is tried next.
  private var number: Int

  /// Goes on behind the segments that are there.
  init(_ names: SegmentNames) {
    self.names = names
    number = (names.numbers().last ?? 0) + 1
  }

  /// Gives the open segment a number instead of its name; returns `errno` when that can't be done.
  mutating func closeOpen() -> Int32? {
    if let errno = addNumber() { return errno }
    guard unsafe unlink(names.open) != 0, errno != ENOENT else { return nil }
    return errno
  }

  /// Gives the open segment, which `writer` writes, a number, and the next one the recording's name; returns `errno` when that
  /// can't be done. One that was moved away stays where it is now.
  mutating func moveUp(behind writer: TraceWriter) -> Int32? {
    let isThere = SegmentShelf.exists(names.open)
    // Somebody else's file has the name by now.
    if isThere, !writer.isAt(names.open) { return EEXIST }
    if isThere, let errno = addNumber() { return errno }
    guard unsafe rename(names.next, names.open) != 0 else { return nil }
    let cause = errno
    if isThere {
      number -= 1
      // The first name again; if that fails too, the file still has its number.
      if !SegmentShelf.exists(names.open) {
        _ = unsafe rename(names.closed(number), names.open)
      } else {
        _ = unsafe unlink(names.closed(number))
      }
    }
    return cause
  }

  /// Closes what a process that was killed left open under the recording's name.
  ///
  /// - Throws: `EBUSY` when another process is writing it.
  mutating func closeOld() throws(TraceWriter.CreationError) {
    let old = unsafe open(names.open, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard old >= 0 else { return }
    defer { _ = close(old) }
    var facts = stat()
    // Fills in the structure it is given.
    guard unsafe fstat(old, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_size > 0
    else { return }
    guard flock(old, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw TraceWriter.CreationError(path: names.open, errno: EBUSY)
    }
    if let errno = closeOpen() {
      throw TraceWriter.CreationError(path: names.open, errno: errno)
    }
  }

  /// Adds a second name with the next number that is free; where files have one name only, that instead of the first.
  private mutating func addNumber() -> Int32? {
    while unsafe link(names.open, names.closed(number)) != 0 {
      switch errno {
      case EEXIST: number += 1
      case EPERM, ENOTSUP, ENOSYS, EMLINK:
        while SegmentShelf.exists(names.closed(number)) { number += 1 }
        guard unsafe rename(names.open, names.closed(number)) == 0 else { return errno }
        number += 1
        return nil
      case let other: return other
      }
    }
    number += 1
    return nil
  }

  private static func exists(_ path: String) -> Bool {
    var facts = stat()
    // Fills in the structure it is given.
    return unsafe lstat(path, &facts) == 0
  }
}
