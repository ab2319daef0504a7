import Basics
import NIOCore
import Packets

/// Several capture files as one time line.
///
/// Theory: files are ordered by the time of their first packet, whatever the order given. One is opened when the time
/// line reaches it, so a thousand rotated files need one open file; those that overlap (taps in several places) are
/// merged by time, and within a file the file's order holds. At equal times the file given first comes first.
/// Secrets of all files come before the first packet, for they may stand behind the packets that they are for; those of
/// pipes and of compressed files come where they stand, and so do those of later files once `SecretsScan.limit` bytes wait.
///
/// A file that cannot be read on ends there, for the others go on: what happened is in `ended`.
public final class CaptureTimeline {
  /// What became of a file.
  public struct Ended: Sendable {
    /// The path as given.
    public var path: String
    /// What was met in it that is not a frame.
    public var counters: CaptureCounters
    /// Why it could not be read to its end; `nil` when it could.
    public var error: CaptureError?
  }

  private struct Source {
    var path: String
    var place: Int
    var start: Timestamp
    /// Open while it takes part, and from the beginning when it cannot be opened again.
    var file: CaptureFile?
    var head: CapturedFrame?
    /// What ended the file before its first packet.
    var failure: CaptureError?
    /// Whether secrets were found beforehand, and are passed over when they come.
    var isScanned: Bool
  }

  /// The files that were read to their end, in the order in which they ended.
  public private(set) var ended: [Ended] = []

  /// Whether all secrets that the files hold come before the first packet.
  public private(set) var hasSecretsInFront = true

  /// Those that the time line has not reached, the latest first.
  private var waiting: [Source] = []
  private var open: [Source] = []
  private var secrets = CircularBuffer<DecryptionSecrets>()
  /// Bytes of secrets that scans have found.
  private var secretBytes = 0
  private var scanned = CaptureCounters()

  /// Looks at the beginnings of the files.
  ///
  /// - Throws: `cannotOpen`, `notACapture` or `unsupported` when one of them is nothing that can be read; nothing has
  ///   been read then.
  public init(paths: [String]) throws(CaptureError) {
    for (place, path) in paths.enumerated() {
      let source = try begin(path, place, isAlone: paths.count == 1)
      waiting.append(source)
    }
    waiting.sort { ($0.start, $0.place) > ($1.start, $1.place) }
  }

  /// What was met in all files that is not a frame; complete once `next()` has returned `nil`.
  public var counters: CaptureCounters {
    var sum = scanned
    for file in ended { sum.add(file.counters) }
    for source in open + waiting { if let file = source.file { sum.add(file.counters) } }
    return sum
  }

  /// Returns the next item; `nil` at the end of all files.
  ///
  /// Let go of a frame before the next call, as with `CaptureFile`.
  public func next() -> CaptureItem? {
    if let found = secrets.popFirst() { return .secrets(found) }
    while true {
      if waiting.isEmpty, open.count == 1, open[0].head == nil {
        // The usual case: nothing to compare with.
        guard let item = read(0) else { return nil }
        return item
      }
      if let item = fillHeads() { return item }
      var first: Int?
      for i in open.indices where first.map({ precedes(i, $0) }) ?? true { first = i }
      if let next = waiting.last, first.map({ reaches($0, next) }) ?? true {
        activate()
        continue
      }
      guard let first, let frame = open[first].head else { return nil }
      open[first].head = nil
      return .frame(frame)
    }
  }

  // MARK: Opening

  /// Finds the first packet of a file and, where it can be done, all secrets.
  private func begin(
    _ path: String, _ place: Int, isAlone: Bool
  ) throws(CaptureError) -> Source {
    let file = try CaptureFile(path: path)
    var isScanned = false
    if file.isRegular, secretBytes < SecretsScan.limit {
      let scan = SecretsScan(path: path)
      secrets += scan.secrets
      secretBytes += scan.kept
      scanned.count(.secretsLimit, scan.dropped)
      isScanned = !scan.secrets.isEmpty
      hasSecretsInFront = hasSecretsInFront && !scan.isPacked
    } else {
      hasSecretsInFront = false
    }
    var source = Source(
      path: path, place: place, start: Timestamp(nanoseconds: .min), file: file,
      isScanned: isScanned)
    guard !isAlone else { return source }
    do throws(CaptureError) {
      while source.head == nil, let item = try file.next() {
        switch item {
        case .frame(let frame): source.head = frame
        case .secrets(let found): if !file.isRegular { secrets.append(found) }
        case .waiting: break
        }
      }
    } catch {
      switch error.what {
      // Nothing came before: there is no file to speak of.
      case .notACapture, .cannotOpen, .unsupported: throw error
      default: source.failure = error
      }
    }
    if let head = source.head { source.start = head.at }
    if file.isRegular {
      // It is read again from its beginning, when the time line comes to it.
      source.file = nil
      source.head = nil
      source.failure = nil
    }
    return source
  }

  /// Opens the file that begins first.
  private func activate() {
    var source = waiting.removeLast()
    if source.file == nil {
      do throws(CaptureError) {
        source.file = try CaptureFile(path: source.path)
      } catch {
        ended.append(Ended(path: source.path, counters: CaptureCounters(), error: error))
        return
      }
    }
    open.append(source)
  }

  // MARK: Reading

  /// Makes sure that each open file has its next frame at hand; returns what comes before that.
  private func fillHeads() -> CaptureItem? {
    var i = 0
    while i < open.count {
      guard open[i].head == nil else {
        i += 1
        continue
      }
      switch read(i) {
      case .frame(let frame): open[i].head = frame
      case .some(let other): return other
      case nil: break
      }
    }
    return nil
  }

  /// Reads on in an open file; at its end, or where it cannot be read on, closes it and returns `nil`.
  private func read(_ i: Int) -> CaptureItem? {
    guard let file = open[i].file else { return nil }
    do throws(CaptureError) {
      while let item = try file.next() {
        if case .secrets = item, open[i].isScanned { continue }
        return item
      }
      ended.append(Ended(path: file.path, counters: file.counters, error: open[i].failure))
    } catch {
      ended.append(Ended(path: file.path, counters: file.counters, error: error))
    }
    open.remove(at: i)
    return nil
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    guard let one = open[a].head, let other = open[b].head else { return open[b].head == nil }
    return (one.at, open[a].place) < (other.at, open[b].place)
  }

  /// Whether the time line, at the head of an open file, has reached a file that is not open.
  private func reaches(_ i: Int, _ next: Source) -> Bool {
    guard let head = open[i].head else { return true }
    return (next.start, next.place) <= (head.at, open[i].place)
  }
}
