public import Packets

/// A BPF expression (pcap-filter(7)), compiled by libpcap for every link type that comes.
public final class PacketFilter {
  private let expression: String
  private var programs: [LinkType: FilterProgram] = [:]
  private var recent: (type: LinkType, program: FilterProgram)?

  /// Takes an expression.
  ///
  /// - Throws: `badFilter` when it compiles for none of the usual link types.
  public init(_ expression: String) throws(CaptureError) {
    self.expression = expression
    var first: CaptureError?
    for type in [LinkType.ethernet, .raw, .linuxSLL] {
      do throws(CaptureError) {
        _ = try program(type)
        return
      } catch {
        first = first ?? error
      }
    }
    if let first { throw first }
  }

  /// Returns whether a frame is wanted.
  ///
  /// - Throws: `badFilter` for a frame of a link type that libpcap can't compile the expression for.
  public func matches(_ frame: CapturedFrame) throws(CaptureError) -> Bool {
    if let recent, recent.type == frame.linkType { return recent.program.matches(frame) }
    let program = try program(frame.linkType)
    recent = (frame.linkType, program)
    return program.matches(frame)
  }

  private func program(_ type: LinkType) throws(CaptureError) -> FilterProgram {
    if let known = programs[type] { return known }
    let program = try FilterProgram(expression, type)
    programs[type] = program
    return program
  }
}
