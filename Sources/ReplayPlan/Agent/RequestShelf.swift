import Synchronization

/// The prepared requests of all scripts, each made when its first agent comes.
public final class RequestShelf: Sendable {
  private let scripts: [AgentScript]
  private let target: ReplayTarget
  private let books: Mutex<[RequestBook?]>

  /// Creates an empty shelf.
  public init(_ scripts: [AgentScript], _ target: ReplayTarget) {
    self.scripts = scripts
    self.target = target
    books = Mutex(Array(repeating: nil, count: scripts.count))
  }

  /// The requests of the script at a place. O(steps) the first time.
  public subscript(_ script: Int) -> RequestBook {
    if let made = books.withLock({ $0[script] }) { return made }
    let book = RequestBook(scripts[script], target)
    return books.withLock { books in
      if let made = books[script] { return made }
      books[script] = book
      return book
    }
  }
}
