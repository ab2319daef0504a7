import MCP
import TestKit
import Testing

struct `Causal order` {
  private let gap: Int64 = 20

  @Test func `leaves out answers that another implies`() {
    var order = CausalOrder(siblingGap: gap)
    let first = order.place(at: 0, isAgent: false)
    order.answered(n: 2, done: 10, place: first, isAgent: false)
    let call = order.place(at: 100, isAgent: true)
    #expect(call.after == [2])
    order.answered(n: 4, done: 150, place: call, isAgent: true)
    let next = order.place(at: 300, isAgent: true)
    #expect(next.after == [4])
    #expect(next.turn == 2)
    #expect(next.latestDone == 150)
  }

  @Test func `counts only answers that were there`() {
    var order = CausalOrder(siblingGap: gap)
    let a = order.place(at: 0, isAgent: true)
    let b = order.place(at: 1, isAgent: true)
    order.answered(n: 3, done: 50, place: a, isAgent: true)
    order.answered(n: 4, done: 90, place: b, isAgent: true)
    #expect(order.place(at: 70, isAgent: false).after == [3])
    #expect(order.place(at: 95, isAgent: true).after == [3, 4])
  }

  @Test func `keeps a long call of an earlier turn until somebody waits for it`() {
    var order = CausalOrder(siblingGap: gap)
    let slow = order.place(at: 0, isAgent: true)
    let quick = order.place(at: 0, isAgent: true)
    order.answered(n: 3, done: 30, place: quick, isAgent: true)
    let second = order.place(at: 100, isAgent: true)
    #expect(second.turn == 2)
    order.answered(n: 5, done: 150, place: second, isAgent: true)
    order.answered(n: 6, done: 160, place: slow, isAgent: true)
    let third = order.place(at: 200, isAgent: true)
    #expect(third.after == [5, 6])
    #expect(third.turn == 3)
  }

  @Test func `takes a bearer of this turn's cursor for no sibling`() {
    var order = CausalOrder(siblingGap: gap)
    let page1 = order.place(at: 0, isAgent: true)
    order.answered(n: 2, done: 5, place: page1, isAgent: true)
    #expect(order.place(at: 10, isAgent: true, source: 2).turn == 2)
  }

  @Test func `says the same of what is to come after it forgot what was`() {
    var generator = SeededGenerator(seed: 7)
    var order = CausalOrder(siblingGap: gap)
    var settled = CausalOrder(siblingGap: gap)
    var open: [(n: Int, place: CausalOrder.Place, isAgent: Bool)] = []
    var t: Int64 = 0
    for n in 0..<2000 {
      t += Int64.random(in: 1...40, using: &generator)
      if let i = open.indices.randomElement(using: &generator), Bool.random(using: &generator) {
        let request = open.remove(at: i)
        order.answered(n: n, done: t, place: request.place, isAgent: request.isAgent)
        settled.answered(n: n, done: t, place: request.place, isAgent: request.isAgent)
      } else {
        let isAgent = Int.random(in: 0..<4, using: &generator) > 0
        let place = order.place(at: t, isAgent: isAgent)
        #expect(settled.place(at: t, isAgent: isAgent) == place)
        open.append((n, place, isAgent))
      }
      if n.isMultiple(of: 5) { settled.settle(before: t) }
    }
    #expect(order.turn > 100)
  }

  @Test func `places a message that is told late by its own time`() {
    var order = CausalOrder(siblingGap: gap)
    let first = order.place(at: 0, isAgent: true)
    order.answered(n: 2, done: 30, place: first, isAgent: true)
    let second = order.place(at: 100, isAgent: true)
    order.answered(n: 4, done: 130, place: second, isAgent: true)
    let third = order.place(at: 200, isAgent: true)
    #expect(third.turn == 3)
    let late = order.place(at: 110, isAgent: true)
    #expect(late == second)
    let upload = order.place(at: 60, isAgent: false)
    #expect(upload.after == [2])
    #expect(upload.turn == 1)
    #expect(order.place(at: 205, isAgent: true) == third)
  }

  @Test func `takes parallel requests for siblings in whatever order they are complete`() {
    var order = CausalOrder(siblingGap: gap)
    let first = order.place(at: 0, isAgent: true)
    order.answered(n: 2, done: 30, place: first, isAgent: true)
    let second = order.place(at: 102, isAgent: true)
    #expect(second.turn == 2)
    let began = order.place(at: 100, isAgent: true)
    #expect(began.turn == 2)
    #expect(began.after == [2])
    #expect(order.place(at: 101, isAgent: true).after == [2])
    #expect(order.place(at: 103, isAgent: true) == second)
    order.answered(n: 6, done: 130, place: began, isAgent: true)
    order.answered(n: 7, done: 140, place: second, isAgent: true)
    let third = order.place(at: 200, isAgent: true)
    #expect(third.turn == 3)
    #expect(third.after == [6, 7])
    // Before the first answer it still belongs where it was.
    #expect(order.place(at: 20, isAgent: true) == first)
  }

  @Test func `leaves a request that is told too late in the turn before`() {
    var order = CausalOrder(siblingGap: gap)
    let first = order.place(at: 0, isAgent: true)
    order.answered(n: 2, done: 30, place: first, isAgent: true)
    let second = order.place(at: 200, isAgent: true)
    #expect(second.turn == 2)
    // Whoever left at 200 may have waited for its answer: no sibling of it.
    let late = order.place(at: 100, isAgent: true)
    #expect(late.turn == 1)
    #expect(late.after == [])
    // The turn before has a request at 100 by now: what left earlier began no later turn.
    #expect(order.place(at: 90, isAgent: true).turn == 1)
    #expect(order.place(at: 190, isAgent: true).turn == 2)
    #expect(order.place(at: 201, isAgent: true) == second)
  }

  @Test func `never moves the turns that were told already`() {
    var order = CausalOrder(siblingGap: gap)
    let first = order.place(at: 500, isAgent: true)
    let early = order.place(at: 100, isAgent: true)
    #expect(early.turn == first.turn)
    order.answered(n: 2, done: 150, place: early, isAgent: true)
    let next = order.place(at: 200, isAgent: true)
    #expect(next.turn == first.turn)
    #expect(next.after == [])
    order.answered(n: 4, done: 600, place: first, isAgent: true)
    let second = order.place(at: 1_000, isAgent: true)
    #expect(second.turn == first.turn + 1)
    #expect(order.place(at: 1_005, isAgent: true) == second)
    // It provably waited for an answer of the turn that its siblings were told in before.
    order.answered(n: 6, done: 1_002, place: second, isAgent: true)
    #expect(order.place(at: 1_003, isAgent: true, source: 6).turn == second.turn)
  }

  @Test func `stays small and right over a long session`() {
    var order = CausalOrder(siblingGap: gap)
    var expected: [Int] = []
    for i in 0..<2_000 {
      let t = Int64(i) * 1_000
      let place = order.place(at: t, isAgent: true)
      #expect(place.after == expected)
      #expect(place.turn == i + 1)
      order.answered(n: 2 * i + 2, done: t + 500, place: place, isAgent: true)
      expected = [2 * i + 2]
    }
  }

  @Test func `of a session that is over places what a hole held back`() {
    var order = CausalOrder(siblingGap: gap)
    var last = order.place(at: 0, isAgent: true)
    for i in 1...100 {
      order.answered(n: 2 * i, done: Int64(i) * 1_000 - 500, place: last, isAgent: true)
      last = order.place(at: Int64(i) * 1_000, isAgent: true)
    }
    var whole = order
    order.shrink()
    for t in [Int64(100_010), 99_010, 95_600, 101_000] {
      #expect(order.place(at: t, isAgent: true) == whole.place(at: t, isAgent: true))
    }
    #expect(order.turn == 101)
  }
}
