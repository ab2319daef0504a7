import Basics
import NIOCore

/// Records under protection: keys, sequence numbers, and the way back behind gaps.
extension TLSDecoder {
  /// Records in a row that may fail before a direction is given up.
  private static let failureLimit = 8
  /// Bytes that trials behind one gap may cost.
  private static let effortLimit = 64 << 20
  /// What a trial costs beyond its bytes.
  private static let trialCost = 512

  mutating func open(_ record: TLSRecord, _ direction: Direction) -> Step {
    let isTLS13 = negotiation.isTLS13 == true
    if isTLS13, record.type != TLSRecord.applicationData {
      // For middleboxes (RFC 8446 §5), or from who has no keys yet.
      explained += record.length
      if record.type == TLSRecord.alert, record.body.readableBytes == 2 {
        take(alert: record.body, direction, at: record.at)
      }
      return .done
    }
    var protection = self[direction].protection
    if protection.cipher == nil {
      guard negotiation.clientRandom != nil else { return .waitsForPeer }
      if let version = negotiation.serverHello?.version, version.isOldDraft {
        return .stuck(.unsupportedVersion(version.name))
      }
      guard prepare(&protection, direction) else {
        return openWithoutKeys(record, direction, protection)
      }
      if protection.cipher == nil { return .stuck(unsupported) }
    }
    if self[direction].hole == nil,
      let opened = protection.cipher?.open(record, sequence: protection.sequence)
    {
      return take(opened, record, direction, protection)
    }
    if let opened = search(record, direction, &protection) {
      return take(opened, record, direction, protection)
    }
    return fail(record, direction)
  }

  // MARK: Keys

  private var unsupported: TLSLoss {
    .unsupportedCipher(negotiation.serverHello?.suite.name ?? "")
  }

  /// Fetches the keys of an epoch of TLS 1.3; false when they are not logged. No cipher then: the suite is not supported.
  private func prepare(_ protection: inout TLSHalf.Protection, _ direction: Direction) -> Bool {
    guard let random = negotiation.clientRandom, let hello = negotiation.serverHello,
      let label = label(protection.epoch, direction),
      let secret = keyLog?.secret(label, random)
    else { return false }
    protection.secret = secret
    protection.sequence = 0
    protection.cipher = TLSRecordCipher(hello.suite, trafficSecret: secret)
    return true
  }

  private func label(_ epoch: TLSHalf.Epoch, _ direction: Direction) -> TLSKeyLog.Label? {
    switch epoch {
    case .plain: nil
    case .early: direction == client ? .clientEarly : nil
    case .handshake: direction == client ? .clientHandshake : .serverHandshake
    case .application: direction == client ? .clientTraffic : .serverTraffic
    }
  }

  /// The protection that follows: of the next epoch, or behind a KeyUpdate.
  private func following(
    _ protection: TLSHalf.Protection, _ direction: Direction
  ) -> TLSHalf.Protection? {
    guard negotiation.isTLS13 == true, let suite = negotiation.serverHello?.suite else {
      return nil
    }
    var next = TLSHalf.Protection()
    switch protection.epoch {
    case .plain: return nil
    case .early: next.epoch = .handshake
    case .handshake: next.epoch = .application
    case .application:
      guard protection.cipher != nil else { return nil }
      next.epoch = .application
      next.secret = TLSKeySchedule.updated(suite.hash, protection.secret)
      next.cipher = TLSRecordCipher(suite, trafficSecret: next.secret)
      return next
    }
    return prepare(&next, direction) && next.cipher != nil ? next : nil
  }

  mutating func updateKeys(_ direction: Direction) {
    let protection = self[direction].protection
    if protection.epoch == .application, let next = following(protection, direction) {
      self[direction].protection = next
    }
  }

  /// Takes the keys of a ChangeCipherSpec of TLS 1.2 or before (RFC 5246 §6.3); returns what stands in the way.
  func change(_ protection: inout TLSHalf.Protection, _ direction: Direction) -> Step? {
    guard let hello = negotiation.serverHello, let random = negotiation.clientRandom else {
      return .waitsForPeer
    }
    guard let master = keyLog?.secret(.master, random) else { return .waitsForKeys }
    guard hello.version >= .tls10 else {
      return .stuck(.unsupportedVersion(hello.version.name))
    }
    if hello.compresses { return .stuck(.compressed) }
    guard
      let cipher = TLSRecordCipher(
        hello, master: master, clientRandom: random, isClient: direction == client)
    else { return .stuck(.unsupportedCipher(hello.suite.name)) }
    protection = .init(epoch: .application, cipher: cipher)
    return nil
  }

  // MARK: What comes of a record

  private mutating func take(
    _ opened: TLSRecordCipher.Opened, _ record: TLSRecord, _ direction: Direction,
    _ protection: TLSHalf.Protection
  ) -> Step {
    var protection = protection
    protection.nonce = protection.cipher?.explicitNonce(record)
    protection.sequence &+= 1
    if opened.type == TLSRecord.changeCipherSpec, negotiation.isTLS13 == false {
      // A renegotiation.
      if let obstacle = change(&protection, direction) { return obstacle }
      self[direction].messages.reset()
    }
    self[direction].protection = protection
    self[direction].failures = 0
    self[direction].skipsEarlyData = false
    self[direction].hole = nil
    self[direction].effort = 0
    switch opened.type {
    case TLSRecord.applicationData:
      let count = opened.bytes.readableBytes
      explained += record.length - count
      guard count > 0 else { return .done }
      if self[direction].isClosed {
        emit(.lost(.afterClose, bytes: count, at: record.at))
      } else {
        emit(.bytes(direction, opened.bytes, at: record.at))
      }
      return .done
    case TLSRecord.handshake:
      explained += record.length
      self[direction].messages.append(opened.bytes)
      return take(messagesOf: direction)
    case TLSRecord.alert:
      explained += record.length
      take(alert: opened.bytes, direction, at: record.at)
      return .done
    default:
      explained += record.length
      return .done
    }
  }

  /// A record whose epoch has no keys in the log: that of the next epoch may have.
  private mutating func openWithoutKeys(
    _ record: TLSRecord, _ direction: Direction, _ protection: TLSHalf.Protection
  ) -> Step {
    guard var next = following(protection, direction) else { return .waitsForKeys }
    if let opened = next.cipher?.open(record, sequence: 0) {
      return take(opened, record, direction, next)
    }
    let loss = protection.epoch == .early ? TLSLoss.earlyData : .undecryptable
    emit(.lost(loss, bytes: record.length, at: record.at))
    if protection.epoch == .early, let count = next.cipher?.contents(of: record.length, records: 1)
    {
      emit(.gap(direction, count: max(1, count), at: record.at))
    }
    return .done
  }

  private mutating func fail(_ record: TLSRecord, _ direction: Direction) -> Step {
    if self[direction].skipsEarlyData {
      emit(.lost(.earlyData, bytes: record.length, at: record.at))
      return .done
    }
    self[direction].failures += 1
    guard self[direction].failures < TLSDecoder.failureLimit else { return .stuck(.decryptFailed) }
    emit(.lost(.decryptFailed, bytes: record.length, at: record.at))
    var hole = TLSRecordFramer.Hole(at: record.at)
    hole.bytes = record.length
    hole.records = nil
    self[direction].add(hole)
    return .done
  }

  // MARK: Behind a gap

  /// Opens a record whose sequence number is not known, by trial: as far ahead as records fit into the gap, then behind a
  /// change of keys. Notes what is missing.
  mutating func search(
    _ record: TLSRecord, _ direction: Direction, _ protection: inout TLSHalf.Protection
  ) -> TLSRecordCipher.Opened? {
    let hole = self[direction].hole
    if let hole, let (opened, skipped) = tryAhead(record, direction, &protection, hole) {
      if protection.epoch != .handshake, skipped > 0, let cipher = protection.cipher {
        let count = cipher.contents(of: hole.bytes, records: skipped)
        emit(.gap(direction, count: max(1, count), at: record.at))
      }
      emit(.resynced(direction, at: record.at))
      return opened
    }
    guard var next = following(protection, direction) else { return nil }
    guard let hole else {
      guard let opened = next.cipher?.open(record, sequence: 0) else { return nil }
      protection = next
      return opened
    }
    guard let (opened, skipped) = tryAhead(record, direction, &next, hole) else { return nil }
    if protection.epoch == .application || skipped > 0, let cipher = next.cipher {
      let count = cipher.contents(of: hole.bytes, records: skipped + 1)
      emit(.gap(direction, count: max(1, count), at: record.at))
    }
    emit(.resynced(direction, at: record.at))
    protection = next
    return opened
  }

  /// Tries sequence numbers ahead of the protection's; returns how many records were skipped.
  mutating func tryAhead(
    _ record: TLSRecord, _ direction: Direction, _ protection: inout TLSHalf.Protection,
    _ hole: TLSRecordFramer.Hole
  ) -> (TLSRecordCipher.Opened, skipped: Int)? {
    guard var cipher = protection.cipher else { return nil }
    let most = hole.bytes / cipher.minimumRecord
    func attempt(_ skipped: Int) -> TLSRecordCipher.Opened? {
      cipher.open(record, sequence: protection.sequence &+ UInt64(skipped))
    }
    var guesses: [Int] = []
    if let known = hole.records { guesses.append(known) }
    if let nonce = cipher.explicitNonce(record), let last = protection.nonce {
      let ahead = nonce &- last &- 1
      if ahead <= UInt64(most) { guesses.append(Int(ahead)) }
    }
    let least = hole.isLoss ? hole.bytes / TLSRecord.usualLimit : 0
    var skipped = guesses.first ?? least
    var guessed = 0
    while skipped <= max(least, most), self[direction].effort < TLSDecoder.effortLimit {
      self[direction].effort += record.length + TLSDecoder.trialCost
      if let opened = attempt(skipped) {
        protection.cipher = cipher
        protection.sequence &+= UInt64(skipped)
        return (opened, skipped)
      }
      guessed += 1
      skipped = guessed < guesses.count ? guesses[guessed] : least + guessed - guesses.count
    }
    return nil
  }
}

extension TLSHalf {
  /// Joins a hole with one before it, between which nothing opened.
  mutating func add(_ new: TLSRecordFramer.Hole) {
    guard var old = hole else {
      hole = new
      return
    }
    old.bytes += new.bytes
    old.records = old.records.flatMap { first in new.records.map { first + $0 } }
    old.isLoss = old.isLoss || new.isLoss
    old.at = max(old.at, new.at)
    hole = old
  }
}
