public import NIOCore
import Synchronization

/// The secrets of a recording's TLS connections, as clients or servers logged them, by client random.
///
/// Shared by all who read key logs (files, Decryption Secrets Blocks) and all who decrypt, on any thread. Bounded: beyond
/// `TLSKeyLog.limit` secrets the oldest go, and are counted.
public final class TLSKeyLog: Sendable {
  /// Which secret of a connection (the labels of the NSS key log format, draft-ietf-tls-keylogfile).
  public enum Label: String, CaseIterable, Hashable, Sendable {
    /// The master secret of TLS 1.2 and before.
    case master = "CLIENT_RANDOM"
    /// What protects 0-RTT data.
    case clientEarly = "CLIENT_EARLY_TRAFFIC_SECRET"
    /// What protects the client's handshake.
    case clientHandshake = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
    /// What protects the server's handshake.
    case serverHandshake = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
    /// What protects the client's data until its first KeyUpdate; later ones are derived.
    case clientTraffic = "CLIENT_TRAFFIC_SECRET_0"
    /// What protects the server's data until its first KeyUpdate.
    case serverTraffic = "SERVER_TRAFFIC_SECRET_0"
  }

  /// Most secrets kept: 50 000 connections of TLS 1.3.
  public static let limit = 250_000
  /// Most record bytes that wait for secrets, over all connections (the bound of what TCP may hold).
  public static let heldLimit = 64 << 20

  private struct Key: Hashable {
    let label: Label
    let random: TLSRandom
  }

  private struct Store {
    var secrets: [Key: [UInt8]] = [:]
    /// In order of arrival, for eviction; `oldest` is the next to go.
    var order: [Key] = []
    var oldest = 0
    var evicted = 0
    var mayGrow: Bool
    var held = 0
  }

  private let store: Mutex<Store>
  private let limit: Int

  /// Creates an empty log; `mayGrow` says whether secrets may still come after their packets (live, standard input).
  public init(mayGrow: Bool = false, limit: Int = TLSKeyLog.limit) {
    store = Mutex(Store(mayGrow: mayGrow))
    self.limit = max(1, limit)
  }

  /// Takes a whole text in the key log format: a file, or the contents of a Decryption Secrets Block.
  public func append(_ text: ByteBuffer) {
    var reader = TLSKeyLogReader(self)
    reader.append(text)
    reader.finish()
  }

  /// Whether secrets may still come; when not, what lacks its own is given up at once.
  public var mayGrow: Bool { store.withLock { $0.mayGrow } }

  /// Secrets held now.
  public var count: Int { store.withLock { $0.secrets.count } }

  /// Secrets that went because of `limit`.
  public var evicted: Int { store.withLock { $0.evicted } }

  /// The secret of a connection, if it was logged.
  public func secret(_ label: Label, _ random: TLSRandom) -> [UInt8]? {
    store.withLock { $0.secrets[Key(label: label, random: random)] }
  }

  func insert(_ label: Label, _ random: TLSRandom, _ secret: [UInt8]) {
    let key = Key(label: label, random: random)
    store.withLock { store in
      guard store.secrets.updateValue(secret, forKey: key) == nil else { return }
      store.order.append(key)
      guard store.order.count - store.oldest > limit else { return }
      store.secrets[store.order[store.oldest]] = nil
      store.oldest += 1
      store.evicted += 1
      guard store.oldest == limit else { return }
      store.order.removeFirst(store.oldest)
      store.oldest = 0
    }
  }

  /// Takes `bytes` of what may wait in all (negative: gives back); false when there is no room.
  func hold(_ bytes: Int) -> Bool {
    store.withLock { store in
      guard bytes <= 0 || store.held + bytes <= TLSKeyLog.heldLimit else { return false }
      store.held += bytes
      return true
    }
  }
}
