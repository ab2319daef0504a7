/// The messages of a body: nearly always one, which lies in the list itself.
struct MessageList: RandomAccessCollection, Sendable {
  private var first: RequestContent.Item?
  private var others: [RequestContent.Item] = []

  /// No messages.
  init() {}

  init(_ item: RequestContent.Item) { first = item }

  init(_ items: [RequestContent.Item]) {
    first = items.first
    if items.count > 1 { others = Array(items.dropFirst()) }
  }

  var startIndex: Int { 0 }
  var endIndex: Int { first == nil ? 0 : 1 + others.count }

  subscript(_ i: Int) -> RequestContent.Item {
    if i == 0, let first { return first }
    return others[i - 1]
  }
}
