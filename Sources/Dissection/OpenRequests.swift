import Basics
import NIOCore

/// An id or progress token as a key: its text, of which short ones (all that SDKs make) are held without the message.
enum MessageToken: Hashable {
  case short(UInt64)
  case long(RawJSON)

  init(_ json: RawJSON) {
    let span = json.span
    guard span.count <= 8 else {
      // A copy, so that a request that stays open does not hold the packets that brought it.
      self = .long(RawJSON(trusted: ByteBuffer(bytes: json.bytes.readableBytesView)))
      return
    }
    // No byte of a JSON text is zero, so that the length need not be told.
    var word: UInt64 = 0
    for i in span.indices { word = word << 8 | UInt64(span[i]) }
    self = .short(word)
  }
}

/// Requests that wait for their answer, oldest first for an id (an id may be used again).
///
/// A list as long as there are few: that is how clients are. The index is for those that are not.
struct OpenRequests {
  private static let listLimit = 16

  private(set) var count = 0

  private var list: [OpenRequest] = []
  private var index: [MessageToken: [OpenRequest]] = [:]

  /// All of them, in no order.
  var all: [OpenRequest] { list + index.values.joined() }

  /// The oldest request of that id.
  func first(_ id: RawJSON) -> OpenRequest? {
    if list.isEmpty, index.isEmpty { return nil }
    let id = MessageToken(id)
    return index[id]?.first ?? list.first { $0.id == id }
  }

  mutating func add(_ request: OpenRequest) {
    count += 1
    if index.isEmpty, list.count < OpenRequests.listLimit { return list.append(request) }
    for old in list { index[old.id, default: []].append(old) }
    list.removeAll()
    index[request.id, default: []].append(request)
  }

  mutating func remove(_ request: OpenRequest) {
    if let place = list.firstIndex(where: { $0 === request }) {
      list.remove(at: place)
      count -= 1
    } else if let place = index[request.id]?.firstIndex(where: { $0 === request }) {
      index[request.id]?.remove(at: place)
      if index[request.id]?.isEmpty == true { index[request.id] = nil }
      count -= 1
    }
  }
}

/// The requests that progress tokens belong to, by their `n`: of a token that is used again, the latest.
///
/// A list as long as there are few, for the same reason.
struct ProgressTokens {
  private static let listLimit = 16

  private var list: [(token: MessageToken, n: Int)] = []
  private var index: [MessageToken: Int] = [:]

  var isEmpty: Bool { list.isEmpty && index.isEmpty }

  func request(_ token: MessageToken) -> Int? {
    if !index.isEmpty { return index[token] }
    return list.first { $0.token == token }?.n
  }

  mutating func set(_ token: MessageToken, _ n: Int) {
    if !index.isEmpty {
      index[token] = n
    } else if let place = list.firstIndex(where: { $0.token == token }) {
      list[place].n = n
    } else if list.count < ProgressTokens.listLimit {
      list.append((token, n))
    } else {
      for (token, n) in list { index[token] = n }
      list.removeAll()
      index[token] = n
    }
  }

  /// Forgets a token, if it is still that request's.
  mutating func remove(_ token: MessageToken, _ n: Int) {
    if !index.isEmpty {
      if index[token] == n { index[token] = nil }
    } else if let place = list.firstIndex(where: { $0.token == token && $0.n == n }) {
      list.remove(at: place)
    }
  }
}
