public import Basics
public import NIOCore

/// Removes the content codings of one body, incrementally.
///
/// Theory: every call gives what can be decoded so far, so that events of a compressed stream keep their times. A label may
/// lie: input is held until something came out, and handed back as it is when nothing can. What inflates without bounds
/// is stopped.
///
/// Three kinds of wrong: a body that breaks in the middle `failed` (what came before stays), one that grows beyond the
/// limits `isLimited`; a body that ends early is not `finished`; bytes behind its end are ignored. All input
/// that nothing was made of is `undecoded`.
public final class ContentDecoder {
  /// Most bytes that one body may decode to.
  public static let limit = 64 << 20
  /// Most layers of coding that are removed (Suricata's limit; more are attacks).
  public static let layerLimit = 2

  /// The layers, outermost first.
  private let layers: [CodingLayer]
  /// True when a coding is named that is not known, or too many are: what comes out is still coded.
  public let isUnknown: Bool

  /// Creates a decoder for codings in the order they were applied; `nil` where there are none.
  public init?(names: [String]) {
    guard !names.isEmpty else { return nil }
    let known = names.reversed().prefix(ContentDecoder.layerLimit + 1).map(
      ContentCoding.init(name:))
    let removable = known.prefix { $0 != nil }.compactMap { $0 }
    isUnknown = removable.count < names.count || names.count > ContentDecoder.layerLimit
    layers = names.count > ContentDecoder.layerLimit ? [] : removable.map(CodingLayer.init)
  }

  /// Creates a decoder for the codings that a head's fields list, those of the content and of its transfer (RFC 9112 §7);
  /// `nil` where there are none.
  public convenience init?(fields: HeaderFields) {
    self.init(names: ContentCoding.names(in: fields) + ContentCoding.transferNames(in: fields))
  }

  /// Creates a decoder for one coding.
  public init(_ coding: ContentCoding) {
    layers = [CodingLayer(coding)]
    isUnknown = false
  }

  /// True once the input broke.
  public var failed: Bool { layers.contains { $0.failed } }
  /// True once a limit was passed; nothing more comes out.
  public var isLimited: Bool { layers.contains { $0.isLimited } }
  /// True once every coding's own end was seen (or the input was never coded).
  public var finished: Bool { layers.allSatisfy { $0.finished || $0.isIdentity } }
  /// True when the input was not coded in spite of its label: it is handed through.
  public var isIdentity: Bool { !layers.isEmpty && layers.allSatisfy(\.isIdentity) }
  /// Bytes of input (of any layer) that nothing was made of.
  public var undecoded: Int { layers.reduce(0) { $0 + $1.undecoded } }

  /// Returns what `bytes` decode to; empty when more are needed.
  public func decode(_ bytes: ByteBuffer) -> ByteBuffer {
    var bytes = bytes
    for layer in layers { bytes = layer.decode(bytes) }
    return bytes
  }
}
