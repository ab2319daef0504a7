import Glibc
import Spawn

/// `replay serve --zero` of the same trace: what a run against it shows is the generator's own floor.
///
/// In a process of its own, so that its memory, its descriptors and its processor time are not the generator's. It ends with this
/// process: its standard input is a pipe that nobody writes to.
struct NullServer {
  /// Where it listens on the loopback interface.
  let port: Int
  private let child: ChildProcess

  /// It could not be started, or did not say where it listens.
  struct Failure: Error, CustomStringConvertible {
    /// One sentence.
    var description: String
  }

  /// Starts it and waits until it listens.
  ///
  /// - Throws: `Failure`.
  init(trace: String) throws(Failure) {
    do throws(ChildProcess.StartError) {
      child = try ChildProcess(
        [
          "/proc/self/exe", "serve", trace, "--listen", "127.0.0.1:0", "--zero", "--quiet",
          "--as-child",
        ], isApart: true)
    } catch {
      throw Failure(description: "\(error)")
    }
    var said = ""
    var byte: UInt8 = 0
    while unsafe read(child.output, &byte, 1) == 1, byte != 0x0a {
      said.unicodeScalars.append(Unicode.Scalar(byte))
    }
    guard let port = Int(said) else {
      _ = child.wait()
      throw Failure(description: "it ended before it listened; try `replay serve \(trace) --zero`")
    }
    self.port = port
  }

  /// Ends it.
  func stop() {
    close(child.input)
    close(child.output)
    child.signal(SIGTERM)
    _ = child.wait()
  }
}
