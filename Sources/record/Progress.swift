/// Says every few seconds how far long work is.
struct Progress {
  private let isQuiet: Bool
  private var ticks = 0
  private var lastSaid = ContinuousClock.now

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  mutating func tick(_ line: () -> String) {
    ticks += 1
    guard !isQuiet, ticks % 16384 == 0, ContinuousClock.now - lastSaid > .seconds(3) else { return }
    lastSaid = .now
    say(line())
  }
}
