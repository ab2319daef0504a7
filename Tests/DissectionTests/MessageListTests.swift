import Testing
import Wire

@testable import Dissection

struct `Lists of messages` {
  private func item(_ bytes: Int) -> RequestContent.Item {
    .init(JSONRPCMessage(kind: .request, id: nil, method: "", content: nil, bytes: bytes))
  }

  @Test(arguments: [0, 1, 2, 5])
  func `have their elements in order`(_ count: Int) {
    let list = MessageList((0..<count).map(item))
    #expect(list.map(\.message.bytes) == Array(0..<count))
    #expect(list.count == count)
    #expect(list.first?.message.bytes == (count > 0 ? 0 : nil))
  }

  @Test func `hold one alone`() {
    #expect(MessageList(item(7)).map(\.message.bytes) == [7])
    #expect(MessageList().isEmpty)
  }
}
