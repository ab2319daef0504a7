import Basics

/// One direction of a connection under decryption.
struct TLSHalf {
  /// Whose keys protect records now. TLS 1.2 and before: only `plain` and `application`.
  enum Epoch: Comparable {
    case plain
    case early
    case handshake
    case application
  }

  /// What changes with every record that opens; written back only when all of the record is dealt with.
  struct Protection {
    var epoch = Epoch.plain
    /// `nil` until the epoch's keys are there.
    var cipher: TLSRecordCipher?
    /// Of TLS 1.3, for KeyUpdate.
    var secret: [UInt8] = []
    /// Of the next record.
    var sequence: UInt64 = 0
    /// Of the last record, where records carry nonces.
    var nonce: UInt64?
  }

  var framer: TLSRecordFramer
  var messages = TLSHandshakeMessages()
  var protection = Protection()
  /// What is missing before the next record.
  var hole: TLSRecordFramer.Hole?
  /// Work spent on finding the place behind `hole`, in bytes.
  var effort = 0
  /// Records in a row that did not open.
  var failures = 0
  /// Set once the direction is given up.
  var opaque: TLSLoss?
  /// True until a record of the client opened behind 0-RTT data that the server did not take.
  var skipsEarlyData = false
  /// True once it said close_notify.
  var isClosed = false
  /// How the stream ended.
  var ending: (how: FlowEnding, at: Timestamp)?
  /// True once the end was passed on.
  var isOver = false

  init(fromStart: Bool) { framer = TLSRecordFramer(fromStart: fromStart) }
}
