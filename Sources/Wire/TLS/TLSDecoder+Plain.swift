import Basics
import NIOCore

/// Records and messages before protection, and messages of any epoch.
extension TLSDecoder {
  mutating func process(_ record: TLSRecord, _ direction: Direction) -> Step {
    guard self[direction].protection.epoch == .plain else { return open(record, direction) }
    switch record.type {
    case TLSRecord.handshake:
      if self[direction].hole != nil, let step = openBehindLostChange(record, direction) {
        return step
      }
      self[direction].hole = nil
      explained += record.length
      self[direction].messages.append(record.body)
      return take(messagesOf: direction)
    case TLSRecord.changeCipherSpec:
      guard let isTLS13 = negotiation.isTLS13 else { return missingHello(direction) }
      if !isTLS13 {
        var protection = self[direction].protection
        if let obstacle = change(&protection, direction) { return obstacle }
        self[direction].protection = protection
        self[direction].hole = nil
        self[direction].messages.reset()
      }
      explained += record.length
      return .done
    case TLSRecord.alert:
      explained += record.length
      take(alert: record.body, direction, at: record.at)
      return .done
    case TLSRecord.applicationData: return openFirst(record, direction)
    case TLSRecord.ssl2Hello:
      explained += record.length
      if let hello = TLSClientHello(ssl2: record.body) { take(hello, direction) }
      return .done
    default:
      explained += record.length
      return .done
    }
  }

  /// The first protected record of a direction that did not say so.
  private mutating func openFirst(_ record: TLSRecord, _ direction: Direction) -> Step {
    if negotiation.isRetried, direction == client, !negotiation.hasSecondHello {
      // 0-RTT data that the HelloRetryRequest refused.
      emit(.lost(.earlyData, bytes: record.length, at: record.at))
      return .done
    }
    guard negotiation.serverHello != nil, negotiation.clientRandom != nil else {
      return missingHello(direction)
    }
    guard negotiation.isTLS13 == true else {
      return openBehindLostChange(record, direction) ?? .stuck(.noHandshake)
    }
    guard direction == client, negotiation.offersEarlyData, !negotiation.isRetried else {
      self[direction].protection.epoch = .handshake
      return open(record, direction)
    }
    if negotiation.acceptsEarlyData == nil {
      let server = self[direction.reversed]
      let mayTell = server.opaque == nil && !server.isOver && server.protection.epoch < .application
      if mayTell { return .waitsForPeer }
    }
    if negotiation.acceptsEarlyData == true {
      self[direction].protection.epoch = .early
    } else {
      self[direction].protection.epoch = .handshake
      self[direction].skipsEarlyData = true
    }
    return open(record, direction)
  }

  /// Opens a record of TLS 1.2 behind a gap that may have held the ChangeCipherSpec; `nil` when it did not.
  private mutating func openBehindLostChange(_ record: TLSRecord, _ direction: Direction) -> Step? {
    guard negotiation.isTLS13 == false, let hole = self[direction].hole else { return nil }
    var protection = self[direction].protection
    if let obstacle = change(&protection, direction) {
      return record.type == TLSRecord.applicationData ? obstacle : nil
    }
    var trial = protection
    guard
      record.type == TLSRecord.applicationData
        || tryAhead(record, direction, &trial, hole) != nil
    else { return nil }
    self[direction].protection = protection
    return open(record, direction)
  }

  /// Where a hello is missing: it may still come, unless this side's own should have been there.
  private func missingHello(_ direction: Direction) -> Step {
    direction == client && negotiation.clientRandom == nil ? .stuck(.noHandshake) : .waitsForPeer
  }

  // MARK: Messages

  /// Deals with the handshake messages that are whole.
  mutating func take(messagesOf direction: Direction) -> Step {
    while let message = self[direction].messages.next() {
      switch message.type {
      case TLSHandshakeMessages.clientHello:
        if let hello = TLSClientHello(message.body) { take(hello, direction) }
      case TLSHandshakeMessages.serverHello:
        if let hello = TLSServerHello(message.body) { take(hello, direction) }
      case TLSHandshakeMessages.encryptedExtensions
      where self[direction].protection.epoch == .handshake:
        let extensions = TLSEncryptedExtensions(message.body)
        facts.applicationProtocol = extensions.protocolName
        negotiation.acceptsEarlyData = extensions.acceptsEarlyData
      case TLSHandshakeMessages.endOfEarlyData where self[direction].protection.epoch == .early:
        self[direction].protection = .init(epoch: .handshake)
      case TLSHandshakeMessages.finished where self[direction].protection.epoch == .handshake:
        self[direction].protection = .init(epoch: .application)
      case TLSHandshakeMessages.keyUpdate where negotiation.isTLS13 == true: updateKeys(direction)
      default: continue
      }
    }
    return .done
  }

  private mutating func take(_ hello: TLSClientHello, _ direction: Direction) {
    if negotiation.clientRandom == nil { client = direction }
    guard direction == client else { return }
    if facts.serverName == nil { facts.serverName = hello.serverName }
    if facts.offeredProtocols.isEmpty { facts.offeredProtocols = hello.protocols }
    if negotiation.clientRandom == hello.random {
      negotiation.hasSecondHello = true
      return
    }
    if negotiation.clientRandom != nil {
      facts.renegotiations += 1
      negotiation = TLSNegotiation()
    }
    negotiation.clientRandom = hello.random
    negotiation.offersEarlyData = hello.offersEarlyData
  }

  private mutating func take(_ hello: TLSServerHello, _ direction: Direction) {
    facts.version = hello.version
    facts.suite = hello.suite
    if let name = hello.protocolName { facts.applicationProtocol = name }
    if hello.isRetryRequest {
      negotiation.isRetried = true
      return
    }
    negotiation.serverHello = hello
    if hello.version >= .tls13 { self[direction].protection = .init(epoch: .handshake) }
  }

  mutating func take(alert: ByteBuffer, _ direction: Direction, at: Timestamp) {
    guard
      let (level, description) = alert.getMultipleIntegers(
        at: alert.readerIndex, as: (UInt8, UInt8).self)
    else { return }
    if description == 0 {
      guard !self[direction].isClosed else { return }
      self[direction].isClosed = true
      emit(.end(direction, .fin, at: at))
    } else if level == 2 {
      emit(.alert(description, at: at))
    }
  }
}
