internal import Basics

/// One side of a relayed connection.
enum Leg {
  case client
  case upstream

  /// The direction whose bytes are read from this leg.
  var reads: Direction { self == .client ? .c2s : .s2c }

  var other: Leg { self == .client ? .upstream : .client }
}

/// Decides what the end of one leg means for the other.
///
/// Theory (RFC 9293 §3.6): a TCP connection is two streams that end one by one, by FIN, or together, by RST.
/// The relay keeps that shape: a FIN read from one leg becomes a FIN written to the other once all bytes
/// before it are out; everything else that ends a leg becomes a RST of the other.
///
/// What NIO says when, with half-closure allowed:
/// - FIN: `inputEnded`; but if the leg's output was closed already, only `gone`.
/// - RST and other failures while reading: `failed`, then `gone`.
/// - failures while writing, and a RST after a FIN: only `gone`, with the output not closed by us.
///
/// Invariant: each leg is read until it ends; `isOver` once either both streams ended or the pair was aborted.
struct RelayState {
  private struct Side {
    var inputEnded = false
    var outputClosed = false
    var isGone = false
  }

  private var client = Side()
  private var upstream = Side()
  /// Both legs are being torn down, whatever still arrives means nothing.
  private(set) var isAborted = false
  /// The upstream leg exists.
  private(set) var isConnected = false

  /// What follows from something that happened to a leg.
  enum Consequence: Equatable {
    case none
    /// The stream read from this leg is complete: pass its end on, behind all its bytes.
    case streamEnded
    /// The connection broke: reset what is left of it.
    case broken
  }

  /// True once no leg is left.
  var isFinished: Bool { client.isGone && (upstream.isGone || !isConnected) }

  /// True while bytes from `leg` are still to be expected.
  func isReading(_ leg: Leg) -> Bool { !isAborted && !self[leg].inputEnded }

  mutating func connected() { isConnected = true }

  mutating func abort() { isAborted = true }

  mutating func inputEnded(on leg: Leg) -> Consequence {
    guard isReading(leg) else { return .none }
    self[leg].inputEnded = true
    return .streamEnded
  }

  /// Returns whether closing the output of `leg`, all its bytes being out, closes the leg altogether.
  mutating func outputFlushed(on leg: Leg) -> Bool {
    self[leg].outputClosed = true
    return self[leg].inputEnded
  }

  mutating func failed(_ leg: Leg) -> Consequence {
    isAborted || self[leg].isGone ? .none : .broken
  }

  mutating func gone(_ leg: Leg) -> Consequence {
    self[leg].isGone = true
    if isAborted { return .none }
    guard self[leg].outputClosed else { return .broken }
    return inputEnded(on: leg)
  }

  private subscript(leg: Leg) -> Side {
    get { leg == .client ? client : upstream }
    set {
      switch leg {
      case .client: client = newValue
      case .upstream: upstream = newValue
      }
    }
  }
}
