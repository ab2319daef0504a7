public import Basics
public import NIOCore

/// Decrypts both directions of a TLS connection with logged secrets: record bytes in, plaintext out.
///
/// Theory: records are cut without keys (`TLSRecordFramer`); then each is dealt with in order, by direction. A direction waits
/// where it needs what the other one says (its hello, whether 0-RTT data was taken) or secrets that are not logged yet; the other
/// goes on. When neither can, or what may wait is full, the direction becomes opaque: its bytes are counted by reason. A
/// record that does not open counts as a gap: the sequence number behind it is searched by trial (the tag tells).
/// Of a peer's faults nothing is an error. Every byte that came in is explained, in an event's plaintext, or lost by name.
public struct TLSDecoder: Sendable {
  /// What comes out, in the order of each direction.
  public enum Event: Sendable {
    /// Plaintext; `at` is the capture time of the segment that completes its record.
    case bytes(Direction, ByteBuffer, at: Timestamp)
    /// About `count` bytes of plaintext are missing; exactly so many unless records were padded.
    case gap(Direction, count: Int, at: Timestamp)
    /// The direction is over: close_notify, or the end of its stream.
    case end(Direction, FlowEnding, at: Timestamp)
    /// A fatal alert; its description (RFC 8446 §6).
    case alert(UInt8, at: Timestamp)
    /// The place in the stream was found again behind a gap.
    case resynced(Direction, at: Timestamp)
    /// Stream bytes that are neither plaintext nor protocol.
    case lost(TLSLoss, bytes: Int, at: Timestamp)
  }

  /// Most bytes of a connection that wait for secrets or for the other direction.
  static let heldLimit = 1 << 20

  /// What the handshake said so far.
  public internal(set) var facts = TLSFacts()
  /// Stream bytes of handshakes, alerts and record protection.
  public internal(set) var explained = 0

  let keyLog: TLSKeyLog?
  var negotiation = TLSNegotiation()
  var c2s: TLSHalf
  var s2c: TLSHalf
  /// Who sent the ClientHello.
  var client = Direction.c2s
  private var latest = Timestamp(nanoseconds: .min)
  private var output: [Event] = []
  private var taken = 0
  /// Bytes that the key log lets wait.
  private var reserved = 0

  /// Creates a decoder; without a key log it learns what the hellos say and counts the rest.
  public init(keyLog: TLSKeyLog?, fromStart: Bool) {
    self.keyLog = keyLog
    c2s = TLSHalf(fromStart: fromStart)
    s2c = TLSHalf(fromStart: fromStart)
  }

  /// Takes the next bytes of a direction.
  public mutating func append(_ direction: Direction, _ bytes: ByteBuffer, at: Timestamp) {
    latest = max(latest, at)
    if let loss = self[direction].opaque {
      emit(.lost(loss, bytes: bytes.readableBytes, at: at))
    } else {
      self[direction].framer.append(bytes, at: at)
    }
  }

  /// Takes a hole of `count` bytes in a direction.
  public mutating func gap(_ direction: Direction, _ count: Int, at: Timestamp) {
    guard self[direction].opaque == nil else { return }
    self[direction].framer.gap(count, at: at)
  }

  /// Takes the end of a direction; then drain `next()`.
  public mutating func end(_ direction: Direction, _ how: FlowEnding, at: Timestamp) {
    guard self[direction].ending == nil else { return }
    latest = max(latest, at)
    self[direction].ending = (how, at)
    self[direction].framer.end(at: at)
  }

  /// Returns the next event, `nil` when more input is needed.
  public mutating func next() -> Event? {
    if taken == output.count {
      output.removeAll(keepingCapacity: true)
      taken = 0
      advance()
    }
    guard taken < output.count else { return nil }
    taken += 1
    return output[taken - 1]
  }

  // MARK: Who is next

  enum Step {
    /// The item is dealt with.
    case done
    /// There is none.
    case idle
    /// The other direction must say something first.
    case waitsForPeer
    /// Secrets are missing.
    case waitsForKeys
    /// It can't go on.
    case stuck(TLSLoss)
  }

  private mutating func advance() {
    while taken == output.count {
      let first = firstDirection()
      let step = step(first)
      if case .done = step { continue }
      let other = self.step(first.reversed)
      if case .done = other { continue }
      guard giveUpOne([(first, step), (first.reversed, other)]) else { return reserve() }
    }
    reserve()
  }

  /// The direction whose next record was completed first, so that what comes out is as near to the traffic's order as it gets.
  private func firstDirection() -> Direction {
    guard let up = c2s.framer.front else { return .s2c }
    guard let down = s2c.framer.front else { return .c2s }
    return down.at < up.at ? .s2c : .c2s
  }

  /// Gives up a direction that will never go on; false when both may.
  private mutating func giveUpOne(_ steps: [(Direction, Step)]) -> Bool {
    var isFull: Bool?
    for (direction, step) in steps {
      switch step {
      case .done, .idle: continue
      case .stuck(let loss):
        giveUp(direction, loss)
        return true
      case .waitsForPeer:
        let peer = self[direction.reversed]
        if peer.opaque != nil || peer.isOver {
          giveUp(direction, .noHandshake)
          return true
        }
        // Without secrets to hope for there is nothing to wait for.
        if keyLog == nil {
          giveUp(direction, negotiation.clientRandom == nil ? .noHandshake : .undecryptable)
          return true
        }
      case .waitsForKeys:
        let isLast = c2s.ending != nil && s2c.ending != nil
        if isLast || keyLog?.mayGrow != true {
          giveUp(direction, .undecryptable)
          return true
        }
      }
      if isFull == nil { isFull = !holds() }
      if isFull == true {
        giveUp(direction, .heldLimit)
        return true
      }
    }
    if case (.waitsForPeer, .waitsForPeer) = (steps[0].1, steps[1].1) {
      giveUp(steps[0].0, .noHandshake)
      return true
    }
    return false
  }

  /// Whether what waits may go on waiting.
  private mutating func holds() -> Bool {
    let held = c2s.framer.held + s2c.framer.held
    guard held <= TLSDecoder.heldLimit else { return false }
    guard held > reserved, let keyLog else { return true }
    guard keyLog.hold(held - reserved) else { return false }
    reserved = held
    return true
  }

  /// Copies what waits, so that it does not keep the much larger buffers that brought it.
  public mutating func own() {
    c2s.framer.own()
    s2c.framer.own()
  }

  /// Gives back what no longer waits.
  private mutating func reserve() {
    own()
    let held = c2s.framer.held + s2c.framer.held
    guard held < reserved else { return }
    _ = keyLog?.hold(held - reserved)
    reserved = held
  }

  /// Makes a direction opaque from here on.
  mutating func giveUp(_ direction: Direction, _ loss: TLSLoss) {
    let time = self[direction].framer.front?.at ?? latest
    self[direction].opaque = loss
    let bytes = self[direction].framer.drop()
    if bytes > 0 { emit(.lost(loss, bytes: bytes, at: time)) }
    guard self[direction].protection.cipher != nil else { return }
    let missing = bytes + (self[direction].hole?.bytes ?? 0)
    self[direction].hole = nil
    emit(.gap(direction, count: max(1, missing), at: time))
  }

  // MARK: Items

  private mutating func step(_ direction: Direction) -> Step {
    guard let item = self[direction].framer.front else {
      guard let ending = self[direction].ending, !self[direction].isOver else { return .idle }
      self[direction].isOver = true
      closeHole(direction, at: ending.at)
      if !self[direction].isClosed { emit(.end(direction, ending.how, at: ending.at)) }
      return .done
    }
    switch item {
    case .hole(let hole):
      self[direction].framer.removeFront()
      note(hole, direction)
      return .done
    case .record(let record):
      let step = process(record, direction)
      // A direction that was given up on the way has dropped it.
      if case .done = step, self[direction].opaque == nil { self[direction].framer.removeFront() }
      return step
    }
  }

  private mutating func note(_ hole: TLSRecordFramer.Hole, _ direction: Direction) {
    if hole.discarded > 0 {
      emit(.lost(hole.isLoss ? .brokenRecord : .malformed, bytes: hole.discarded, at: hole.at))
    }
    self[direction].messages.reset()
    self[direction].add(hole)
  }

  /// Passes on a gap that nothing follows.
  private mutating func closeHole(_ direction: Direction, at: Timestamp) {
    guard let hole = self[direction].hole, let cipher = self[direction].protection.cipher
    else { return }
    self[direction].hole = nil
    let records = hole.records ?? (hole.bytes / TLSRecord.usualLimit + 1)
    emit(.gap(direction, count: max(1, cipher.contents(of: hole.bytes, records: records)), at: at))
  }

  mutating func emit(_ event: Event) { output.append(event) }

  subscript(direction: Direction) -> TLSHalf {
    get { direction == .c2s ? c2s : s2c }
    _modify {
      if direction == .c2s { yield &c2s } else { yield &s2c }
    }
  }
}
