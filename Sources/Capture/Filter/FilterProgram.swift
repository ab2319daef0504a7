import CPcap
import NIOCore
import Packets

/// A filter expression compiled for one link type.
@safe
final class FilterProgram {
  // Proof of safety: filled by `pcap_compile` in `init`, never leaves this object, freed in `deinit`.
  private let program: UnsafeMutablePointer<bpf_program>

  /// What libpcap itself takes as the longest packet (its MAXIMUM_SNAPLEN).
  private static let snapLength: Int32 = 262_144
  /// libpcap's own numbers where they differ from a file's (its pcap-common.c): ATM, raw IP, SLIP and PPP of BSD/OS.
  private static let ownNumbers = [100: 11, 101: 12, 102: 15, 103: 16, 106: 19]

  init(_ expression: String, _ type: LinkType) throws(CaptureError) {
    let place = "--filter '\(expression)'"
    let number = FilterProgram.ownNumbers[type.number] ?? type.number
    guard
      let handle = unsafe pcap_open_dead(Int32(clamping: number), FilterProgram.snapLength)
    else { throw CaptureError(.badFilter, path: place, cause: "libpcap has no memory") }
    defer { unsafe pcap_close(handle) }
    let program = UnsafeMutablePointer<bpf_program>.allocate(capacity: 1)
    unsafe program.initialize(to: bpf_program())
    // All ones: the netmask is not known, as libpcap's PCAP_NETMASK_UNKNOWN says.
    guard unsafe pcap_compile(handle, program, expression, 1, .max) == 0 else {
      let cause = unsafe String(cString: pcap_geterr(handle))
      unsafe program.deallocate()
      throw CaptureError(.badFilter, path: place, cause: "\(cause) (link type \(type.number))")
    }
    unsafe self.program = unsafe program
  }

  deinit {
    unsafe pcap_freecode(program)
    unsafe program.deallocate()
  }

  func matches(_ frame: CapturedFrame) -> Bool {
    unsafe frame.bytes.withUnsafeReadableBytes { bytes in
      // The program reads no byte beyond the length that it is told.
      let first = unsafe bytes.bindMemory(to: UInt8.self).baseAddress
      let verdict = unsafe bpf_filter(
        program.pointee.bf_insns, first, UInt32(clamping: frame.originalLength),
        UInt32(clamping: bytes.count))
      return verdict != 0
    }
  }
}
