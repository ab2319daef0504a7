import Basics
import CPcap
import Glibc
import NIOCore
public import Packets

/// Reads the frames of a capture file through libpcap, with nanoseconds where the file has them.
///
/// A file that ends inside a record (its writer was killed) is read up to there: `next()` returns nil and
/// `truncatedTail` says how many bytes were left over. A damaged record throws; the frames before it are good.
@safe
public struct PcapFile: ~Copyable {
  /// The path as given, `-` for standard input.
  public let path: String
  /// What every frame of the file begins with.
  public let linkType: LinkType
  /// Bytes of the incomplete record at the end of the file; zero until `next()` has returned nil.
  public private(set) var truncatedTail = 0
  /// Frames that the filter did not want.
  public private(set) var filteredOut = 0
  /// Offset of the next record in bytes; `nil` where libpcap does not tell (pcapng).
  public private(set) var offset: Int?

  // Proof of safety: both are created in `init`, never leave this noncopyable value, and are freed in `deinit`.
  private let handle: OpaquePointer
  private let filter: UnsafeMutablePointer<bpf_program>?
  private let recordHeader: Int
  private var isAtEnd = false

  /// Length of a classic file header.
  private static let fileHeader = 24

  /// Opens a capture.
  ///
  /// - Parameters:
  ///   - path: A file, or `-` for standard input.
  ///   - filter: A BPF expression (pcap-filter(7)); frames it does not match are counted, not returned.
  /// - Throws: `cannotOpen`, `notACapture`, `compressed` or `badFilter`.
  public init(path: String, filter: String? = nil) throws(PcapError) {
    let (handle, first) = try unsafe PcapFile.open(path)
    let program = try unsafe PcapFile.compile(filter, handle, path)
    self.path = path
    unsafe self.handle = unsafe handle
    unsafe self.filter = unsafe program
    linkType = LinkType(Int(unsafe pcap_datalink(handle)))
    // A pcapng section header begins with 0x0a; the "modified" format (0x34) has a longer record header.
    offset = first == 0x0a ? nil : PcapFile.fileHeader
    recordHeader = first == 0x34 ? 24 : 16
  }

  deinit {
    if let filter = unsafe filter {
      unsafe pcap_freecode(filter)
      unsafe filter.deallocate()
    }
    unsafe pcap_close(handle)
  }

  /// Returns the next frame; nil at the end of the file.
  ///
  /// - Throws: `corruptRecord` with the record's offset; the file ends there.
  public mutating func next() throws(PcapError) -> CapturedFrame? {
    while !isAtEnd {
      var header: UnsafeMutablePointer<pcap_pkthdr>?
      var data: UnsafePointer<UInt8>?
      let status = unsafe pcap_next_ex(handle, &header, &data)
      guard status == 1, let header = unsafe header?.pointee, let data = unsafe data else {
        isAtEnd = true
        guard status == PCAP_ERROR else { return nil }
        try stop()
        return nil
      }
      if let at = offset { offset = at + recordHeader + Int(header.caplen) }
      if let filter = unsafe filter {
        var copy = header
        guard unsafe pcap_offline_filter(filter, &copy, data) != 0 else {
          filteredOut += 1
          continue
        }
      }
      // libpcap guarantees `caplen` bytes at `data` until the next call; they are copied here.
      let captured = unsafe UnsafeRawBufferPointer(start: data, count: Int(header.caplen))
      return CapturedFrame(
        bytes: unsafe ByteBuffer(bytes: captured), originalLength: Int(header.len),
        linkType: linkType, at: PcapFile.time(header))
    }
    return nil
  }

  /// Tells a file that was cut off from one that is damaged.
  private mutating func stop() throws(PcapError) {
    let cause = unsafe String(cString: pcap_geterr(handle))
    guard let file = unsafe pcap_file(handle), unsafe feof(file) != 0 else {
      throw PcapError(.corruptRecord, path: path, offset: offset, cause: cause)
    }
    // "truncated dump file; tried to read 66 captured bytes, only got 12"
    let got = cause.split(separator: " ").last.flatMap { Int($0) } ?? 0
    truncatedTail = cause.contains("captured bytes") ? recordHeader + got : got
  }

  /// The time of a record; libpcap was asked for nanoseconds, which it puts in the microsecond field.
  private static func time(_ header: pcap_pkthdr) -> Timestamp {
    Timestamp(nanoseconds: Int64(header.ts.tv_sec) &* 1_000_000_000 &+ Int64(header.ts.tv_usec))
  }

  /// Opens a capture and returns it with the file's first byte.
  private static func open(_ path: String) throws(PcapError) -> (OpaquePointer, UInt8) {
    // A duplicate, so that closing the capture leaves the process its standard input.
    guard let file = unsafe path == "-" ? fdopen(dup(STDIN_FILENO), "rb") : fopen(path, "rb")
    else {
      throw PcapError(.cannotOpen, path: path, cause: unsafe String(cString: strerror(errno)))
    }
    guard let first = unsafe peek(file) else {
      let error: PcapError =
        unsafe ferror(file) == 0
        ? PcapError(.notACapture, path: path, cause: "the file is empty")
        : PcapError(.cannotOpen, path: path, cause: String(cString: strerror(errno)))
      unsafe fclose(file)
      throw error
    }
    // The first bytes of gzip (RFC 1952) and zstd (RFC 8878); no capture format begins so.
    guard first != 0x1f, first != 0x28 else {
      unsafe fclose(file)
      throw PcapError(.compressed, path: path)
    }
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard
      let handle = unsafe pcap_fopen_offline_with_tstamp_precision(
        file, UInt32(PCAP_TSTAMP_PRECISION_NANO), &message)
    else {
      unsafe fclose(file)
      throw PcapError(.notACapture, path: path, cause: PcapFile.text(message))
    }
    return unsafe (handle, first)
  }

  /// Compiles a filter for an open capture, which it closes when that fails.
  private static func compile(
    _ expression: String?, _ handle: OpaquePointer, _ path: String
  ) throws(PcapError) -> UnsafeMutablePointer<bpf_program>? {
    guard let expression else { return nil }
    let program = UnsafeMutablePointer<bpf_program>.allocate(capacity: 1)
    unsafe program.initialize(to: bpf_program())
    // All ones: the netmask is not known, as libpcap's PCAP_NETMASK_UNKNOWN says.
    guard unsafe pcap_compile(handle, program, expression, 1, .max) == 0 else {
      let cause = unsafe String(cString: pcap_geterr(handle))
      unsafe program.deallocate()
      unsafe pcap_close(handle)
      throw PcapError(.badFilter, path: path, cause: cause)
    }
    return unsafe program
  }

  /// Returns the first byte and leaves it in the stream, which may be a pipe; nil when there is none.
  private static func peek(_ file: UnsafeMutablePointer<FILE>) -> UInt8? {
    let byte = unsafe getc(file)
    guard byte != EOF else { return nil }
    unsafe ungetc(byte, file)
    return UInt8(truncatingIfNeeded: byte)
  }

  private static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
