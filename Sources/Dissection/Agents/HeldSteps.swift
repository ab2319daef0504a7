import Basics
import NIOCore
import Wire

/// Steps of exchanges that wait until it is clear whose they are.
///
/// In order: what is behind an exchange in doubt waits with it, as one agent's messages are to be told in their order.
struct HeldSteps {
  /// A step, the exchange it is of, and when it came by the clock of the recording.
  struct Item {
    var x: Int
    var step: ExchangeStep
    var at: Timestamp
  }

  /// How long an exchange may be in doubt, nanoseconds, and how many steps and bytes may wait.
  static let patience: Int64 = 30_000_000_000
  private static let countLimit = 20_000
  private static let byteLimit = 8 << 20

  private var items: [Item] = []
  private var head = 0
  private var bytes = 0

  var isEmpty: Bool { head == items.count }

  /// The step that came first.
  var first: Item? { isEmpty ? nil : items[head] }

  /// Whether too much waits.
  var isFull: Bool {
    items.count - head > HeldSteps.countLimit || bytes > HeldSteps.byteLimit
  }

  mutating func append(_ item: Item) {
    var item = item
    item.step.own()
    bytes += item.step.size
    items.append(item)
  }

  /// Takes out what is of one exchange.
  mutating func take(_ x: Int) -> [Item] {
    let taken = items[head...].filter { $0.x == x }
    guard !taken.isEmpty else { return [] }
    items = items[head...].filter { $0.x != x }
    head = 0
    for item in taken { bytes -= item.step.size }
    return taken
  }

  mutating func removeFirst() {
    bytes -= items[head].step.size
    head += 1
    guard head == items.count || head >= 1024 else { return }
    items.removeFirst(head)
    head = 0
  }
}

extension ExchangeStep {
  /// Copies its texts where they are a small part of the buffers that they keep.
  fileprivate mutating func own() {
    switch self {
    case .requested(let x, var content, let sentAt):
      content.own()
      self = .requested(x: x, content, sentAt: sentAt)
    case .event(let x, let event): self = .event(x: x, event.owned)
    case .ended(let x, let ended): self = .ended(x: x, ended.owned)
    case .connection, .loss, .began, .asked, .switched, .answered, .line, .linesEnded, .time,
      .settle, .finished:
      break
    }
  }

  /// About what it keeps, bytes.
  fileprivate var size: Int {
    switch self {
    case .requested(_, let content, _): 256 + content.messages.reduce(0) { $0 + $1.message.bytes }
    case .event(_, let event): 256 + event.size
    case .ended(_, let ended): 256 + (ended.response.bytes?.readableBytes ?? 0)
    case .connection, .loss, .began, .asked, .switched, .answered, .line, .linesEnded, .time,
      .settle, .finished:
      256
    }
  }
}
