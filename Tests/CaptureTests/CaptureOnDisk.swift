import Capture
import Glibc
import NIOCore
import Testing

/// A capture in a file that goes when the test ends.
final class CaptureOnDisk {
  let path: String

  init(_ bytes: ByteBuffer) throws {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? P_tmpdir
    var template = Array("\(folder)/pcap-test-XXXXXX".utf8CString)
    let descriptor = unsafe mkstemp(&template)
    path = String(
      decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let view = Array(bytes.readableBytesView)
    let written = unsafe write(descriptor, view, view.count)
    close(descriptor)
    try #require(written == view.count)
  }

  deinit { unsafe unlink(path) }
}

/// What a file on disk holds, and where reading it stopped.
struct ReadFile: Equatable {
  var frames: [Decoded.Frame] = []
  var counters: [String: Int] = [:]
  var error: CaptureError?

  init(_ bytes: ByteBuffer) throws {
    let disk = try CaptureOnDisk(bytes)
    self.init(path: disk.path)
  }

  init(path: String) {
    do throws(CaptureError) {
      let file = try CaptureFile(path: path)
      defer {
        counters = Dictionary(uniqueKeysWithValues: file.counters.named.map { ($0.name, $0.count) })
      }
      while let item = try file.next() {
        if case .frame(let frame) = item { frames.append(.init(frame)) }
      }
    } catch {
      self.error = error
    }
  }
}

/// A pipe with something in it, and its path.
final class Pipe {
  let path: String
  private let descriptor: Int32

  /// `bytes` must fit into the system's buffer.
  init(_ bytes: ByteBuffer) throws {
    var ends: [Int32] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    descriptor = ends[0]
    path = "/dev/fd/\(ends[0])"
    let view = Array(bytes.readableBytesView)
    let written = unsafe write(ends[1], view, view.count)
    close(ends[1])
    try #require(written == view.count)
  }

  deinit { close(descriptor) }
}
