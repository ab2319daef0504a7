import Basics

/// What sets revision 2026-07-28 and later apart: requests that carry their own metadata, and no sessions.
enum Modern {
  static let firstRevision = "2026-07-28"
  static let lastWithSessions = "2025-11-25"
  static let versionKey = "io.modelcontextprotocol/protocolVersion"
  static let clientKey = "io.modelcontextprotocol/clientInfo"
  static let capabilitiesKey = "io.modelcontextprotocol/clientCapabilities"
  static let logLevelKey = "io.modelcontextprotocol/logLevel"
  /// Members of `_meta` that only these revisions know.
  static let keys: Set<String> = [versionKey, clientKey, capabilitiesKey, logLevelKey]
  static let listen = "subscriptions/listen"

  /// Returns the revision that a request names in its `_meta`.
  static func version(_ params: RawJSON?) -> String? {
    params?.member("_meta")?.member(versionKey)?.string
  }

  /// Revisions are dates, so their order is that of their text.
  static func isModern(params: RawJSON?, headers: HeaderFields?) -> Bool {
    let version = version(params) ?? headers?.first("mcp-protocol-version") ?? ""
    return version >= firstRevision
  }
}
