import NIOCore

/// Extensions of hellos (the IANA registry "TLS ExtensionType Values").
enum TLSExtension {
  static let serverName: UInt16 = 0
  static let alpn: UInt16 = 16
  static let encryptThenMAC: UInt16 = 22
  static let earlyData: UInt16 = 42
  static let supportedVersions: UInt16 = 43

  /// Reads the next extension off the front.
  static func next(_ extensions: inout ByteBuffer) -> (type: UInt16, value: ByteBuffer)? {
    guard let type = extensions.readInteger(as: UInt16.self),
      let value = extensions.readLengthPrefixedSlice(as: UInt16.self)
    else { return nil }
    return (type, value)
  }

  /// The host name of a server_name extension (RFC 6066 §3).
  static func hostName(_ value: ByteBuffer) -> String? {
    var value = value
    guard var list = value.readLengthPrefixedSlice(as: UInt16.self) else { return nil }
    while let type = list.readInteger(as: UInt8.self),
      let name = list.readLengthPrefixedSlice(as: UInt16.self)
    {
      if type == 0 { return String(buffer: name) }
    }
    return nil
  }

  /// The names of an ALPN extension (RFC 7301 §3.1).
  static func protocols(_ value: ByteBuffer) -> [String] {
    var value = value
    guard var list = value.readLengthPrefixedSlice(as: UInt16.self) else { return [] }
    var names: [String] = []
    while let name = list.readLengthPrefixedSlice(as: UInt8.self) {
      names.append(String(buffer: name))
    }
    return names
  }
}
