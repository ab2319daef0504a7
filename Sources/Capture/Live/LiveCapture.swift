import Basics
import CPcap
import Glibc
import NIOCore
public import Packets

/// What an interface is asked for.
public struct LiveOptions: Sendable {
  /// The interface's name; `any` is all of them.
  public var interface: String
  /// Most bytes kept of a packet.
  public var snapLength = 262_144
  /// Bytes of the kernel's buffer.
  public var bufferSize = 32 << 20
  /// Whether packets for others are wanted too.
  public var isPromiscuous = false
  /// A BPF expression that the kernel applies.
  public var filter: String?

  /// Asks for all packets of an interface.
  public init(interface: String) { self.interface = interface }
}

/// What an interface has counted since the capture began.
public struct LiveStatistics: Hashable, Sendable {
  /// Packets that the filter took: those that were handed out, and `kernelDrops`.
  ///
  /// libpcap's own number has those of a loopback interface twice, when they leave and when they arrive.
  public var received = 0
  /// Of those, packets that the kernel's buffer had no room for.
  public var kernelDrops = 0
  /// Packets that the interface or its driver dropped.
  public var interfaceDrops = 0

  /// Starts with nothing counted.
  public init() {}
}

/// Captures on an interface through libpcap. For one thread, which should do nothing else.
@safe
public final class LiveCapture {
  /// What every frame begins with.
  public let linkType: LinkType
  /// What libpcap said although it works; empty when it said nothing.
  public let warning: String

  // Proof of safety: created in `init`, never leaves this object, closed in `deinit`.
  private let handle: OpaquePointer
  private let interface: String
  private let descriptor: Int32
  private let isInNanoseconds: Bool
  /// What pcap_stats said last: it counts in 32 bits, which a busy interface goes through in a day.
  private var lastStatistics = (drops: UInt32(0), interfaceDrops: UInt32(0))
  private var sum = LiveStatistics()
  private var handedOut = 0

  /// How long the kernel gathers packets, in milliseconds: fewer wake-ups, and a trace needs no better.
  private static let gatherTime: Int32 = 50

  /// Begins to capture.
  ///
  /// - Throws: `noPermission`, `noInterface`, `badFilter` or `cannotCapture`.
  public init(_ options: LiveOptions) throws(CaptureError) {
    interface = options.interface
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = unsafe pcap_create(options.interface, &message) else {
      let text = message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
      throw CaptureError(
        .cannotCapture, path: interface, cause: String(decoding: text, as: UTF8.self))
    }
    do throws(CaptureError) {
      isInNanoseconds = unsafe LiveCapture.configure(handle, options)
      warning = try unsafe LiveCapture.activate(handle, options)
      // The newer cooked header says the interface of each packet.
      if options.interface == "any" {
        unsafe pcap_set_datalink(handle, LinkType.linuxSLL2.number32)
      }
      try unsafe LiveCapture.setFilter(handle, options)
    } catch {
      unsafe pcap_close(handle)
      throw error
    }
    unsafe self.handle = unsafe handle
    linkType = LinkType(Int(unsafe pcap_datalink(handle)))
    unsafe pcap_setnonblock(handle, 1, &message)
    descriptor = unsafe pcap_get_selectable_fd(handle)
  }

  deinit { unsafe pcap_close(handle) }

  /// Names of the interfaces that can be captured on, as far as this user may see them.
  public static var interfaces: [String] {
    var first: UnsafeMutablePointer<pcap_if_t>?
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard unsafe pcap_findalldevs(&first, &message) == 0 else { return [] }
    defer { unsafe pcap_freealldevs(first) }
    var names: [String] = []
    var next = unsafe first
    while let device = unsafe next {
      names.append(unsafe String(cString: device.pointee.name))
      unsafe next = unsafe device.pointee.next
    }
    return names
  }

  /// Copies what has come, after waiting up to `milliseconds` for it; `nil` when nothing has.
  ///
  /// - Throws: `cannotCapture` when the interface is gone.
  public func read(within milliseconds: Int) throws(CaptureError) -> FrameBatch? {
    var query = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // The call only writes the local it is given; an interruption is no error.
    guard unsafe poll(&query, 1, Int32(clamping: milliseconds)) > 0 else { return nil }
    let collector = FrameCollector(linkType, isInNanoseconds)
    // The collector lives until the call is over, and libpcap calls back only during it.
    let status = unsafe pcap_dispatch(
      handle, -1, FrameCollector.callback,
      unsafe Unmanaged.passUnretained(collector).toOpaque().assumingMemoryBound(to: UInt8.self))
    guard status >= 0 else {
      throw CaptureError(
        .cannotCapture, path: interface, cause: unsafe String(cString: pcap_geterr(handle)))
    }
    return withExtendedLifetime(collector) {
      handedOut += collector.batch.count
      return collector.batch.count > 0 ? collector.batch : nil
    }
  }

  /// What the interface has counted so far.
  public func statistics() -> LiveStatistics {
    var now = pcap_stat()
    guard unsafe pcap_stats(handle, &now) == 0 else { return sum }
    sum.kernelDrops += Int(now.ps_drop &- lastStatistics.drops)
    sum.interfaceDrops += Int(now.ps_ifdrop &- lastStatistics.interfaceDrops)
    sum.received = handedOut + sum.kernelDrops
    lastStatistics = (now.ps_drop, now.ps_ifdrop)
    return sum
  }

  // MARK: Opening

  /// Sets what must be set before activation; returns whether times have nanoseconds.
  private static func configure(_ handle: OpaquePointer, _ options: LiveOptions) -> Bool {
    unsafe pcap_set_snaplen(handle, Int32(clamping: options.snapLength))
    unsafe pcap_set_promisc(handle, options.isPromiscuous ? 1 : 0)
    unsafe pcap_set_timeout(handle, gatherTime)
    unsafe pcap_set_buffer_size(handle, Int32(clamping: options.bufferSize))
    return unsafe pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) == 0
  }

  /// Activates; returns libpcap's warning.
  private static func activate(
    _ handle: OpaquePointer, _ options: LiveOptions
  ) throws(CaptureError) -> String {
    let status = unsafe pcap_activate(handle)
    let words = unsafe String(cString: pcap_geterr(handle))
    let kind = unsafe String(cString: pcap_statustostr(status))
    if status == 0 { return "" }
    if status > 0 { return words.isEmpty ? kind : words }
    let what: CaptureError.What =
      switch status {
      case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED: .noPermission
      case PCAP_ERROR_NO_SUCH_DEVICE: .noInterface
      default: .cannotCapture
      }
    throw CaptureError(what, path: options.interface, cause: words.isEmpty ? kind : words)
  }

  private static func setFilter(
    _ handle: OpaquePointer, _ options: LiveOptions
  ) throws(CaptureError) {
    guard let expression = options.filter else { return }
    var program = unsafe bpf_program()
    // All ones: the netmask is not known, as libpcap's PCAP_NETMASK_UNKNOWN says.
    var status = unsafe pcap_compile(handle, &program, expression, 1, .max)
    if status == 0 { status = unsafe pcap_setfilter(handle, &program) }
    let words = unsafe String(cString: pcap_geterr(handle))
    unsafe pcap_freecode(&program)
    guard status == 0 else {
      throw CaptureError(.badFilter, path: "--filter '\(expression)'", cause: words)
    }
  }
}

/// Copies the frames that libpcap calls back with.
private final class FrameCollector {
  var batch: FrameBatch
  private let unit: Int64

  init(_ linkType: LinkType, _ isInNanoseconds: Bool) {
    batch = FrameBatch(linkType: linkType)
    unit = isInNanoseconds ? 1 : 1000
  }

  static let callback: pcap_handler = { context, header, data in
    guard let context = unsafe context, let header = unsafe header?.pointee,
      let data = unsafe data
    else { return }
    // `read` gave its collector, and keeps it alive. libpcap guarantees `caplen` bytes at `data` during this call.
    let collector = unsafe Unmanaged<FrameCollector>.fromOpaque(context).takeUnretainedValue()
    let bytes = unsafe UnsafeRawBufferPointer(start: data, count: Int(header.caplen))
    let time =
      Int64(header.ts.tv_sec) &* 1_000_000_000 &+ Int64(header.ts.tv_usec) &* collector.unit
    unsafe collector.batch.append(
      bytes, originalLength: Int(header.len), at: Timestamp(nanoseconds: time))
  }
}

extension LinkType {
  /// The number as libpcap takes it.
  fileprivate var number32: Int32 { Int32(clamping: number) }
}
