import Basics
import Testing

@testable import Dissection

struct `Progress tokens` {
  private func token(_ n: Int) -> MessageToken { MessageToken(RawJSON(.int(n))) }

  @Test func `belong to the latest request, few or many`() {
    var tokens = ProgressTokens()
    for n in 0..<40 {
      tokens.set(token(n), n)
      tokens.set(token(n), n + 100)
      #expect((0...n).allSatisfy { tokens.request(token($0)) == $0 + 100 })
      #expect(tokens.request(token(n + 1)) == nil)
    }
    for n in 0..<40 {
      tokens.remove(token(n), n)
      #expect(tokens.request(token(n)) == n + 100)
      tokens.remove(token(n), n + 100)
      #expect(tokens.request(token(n)) == nil)
      #expect(tokens.isEmpty == (n == 39))
    }
    tokens.set(token(1), 2)
    #expect(tokens.request(token(1)) == 2)
  }
}
