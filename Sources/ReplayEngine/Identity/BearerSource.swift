import Basics
import Glibc
import ReplayPlan
import Spawn

/// Where bearer tokens come from.
public enum BearerSource: Hashable, Sendable {
  /// The first line of a file, which is read again when it changes.
  case file(String)
  /// The first line that a program prints.
  case command([String])

  /// Why there is no token.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// True when what was read is no token, or can't be read; false when a program failed.
    public var isInput: Bool
    /// One sentence: what, where, what to do; never the token.
    public var description: String
  }

  /// How long a program may take.
  private static let patience: Int32 = 30_000
  /// Bytes that are read at most; tokens are some thousands long.
  private static let limit = 65536

  /// Gets a token; blocks until the file is read or the program has ended.
  func token() throws(Failure) -> BearerToken {
    switch self {
    case .file(let path):
      let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw unreadable(path) }
      defer { close(descriptor) }
      guard let text = BearerSource.read(descriptor) else { throw unreadable(path) }
      return try token(text, "--bearer-file \(path)", isInput: true)
    case .command(let words):
      let name = "--bearer-command \(words.first ?? "")"
      return try token(try output(words, name), name, isInput: false)
    }
  }

  /// What tells whether the file is another than before; `nil` for programs, and without a file.
  var fingerprint: [Int]? {
    guard case .file(let path) = self else { return nil }
    var about = stat()
    // Only fills in the struct it is given.
    guard unsafe stat(path, &about) == 0 else { return nil }
    return [
      Int(about.st_mtim.tv_sec), Int(about.st_mtim.tv_nsec), Int(about.st_size),
      Int(about.st_ino),
    ]
  }

  private func unreadable(_ path: String) -> Failure {
    Failure(
      isInput: true,
      description:
        "cannot read --bearer-file \(path): \(unsafe String(cString: strerror(errno))); its first line is to be the token"
    )
  }

  private func token(
    _ text: String, _ name: String, isInput: Bool
  ) throws(Failure) -> BearerToken {
    do throws(BearerToken.Flaw) {
      return try BearerToken(firstLineOf: text)
    } catch {
      throw Failure(
        isInput: isInput,
        description: "\(name): \(error); it is to be the token, as OAuth servers give it")
    }
  }

  private func output(_ words: [String], _ name: String) throws(Failure) -> String {
    let child: ChildProcess
    do throws(ChildProcess.StartError) {
      child = try ChildProcess(words, isApart: true)
    } catch {
      throw Failure(isInput: false, description: "\(error); check --bearer-command")
    }
    close(child.input)
    let text = BearerSource.read(child.output, patience: BearerSource.patience)
    close(child.output)
    if text == nil { child.signal(SIGKILL) }
    let ending = child.wait()
    guard let text else {
      throw Failure(
        isInput: false,
        description:
          "\(name) did not end within \(BearerSource.patience / 1000) s; run it by hand to see why")
    }
    guard ending == .code(0) else {
      throw Failure(
        isInput: false,
        description: "\(name) failed with exit code \(ending.exitCode); run it by hand to see why")
    }
    return text
  }

  /// Reads to the end; `nil` when that fails, or takes longer than `patience` milliseconds.
  private static func read(_ descriptor: Int32, patience: Int32? = nil) -> String? {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    let end = clock() + Int64(patience ?? 0)
    while bytes.count < limit {
      if patience != nil {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // One entry is what the call looks at.
        let ready = unsafe poll(&entry, 1, Int32(clamping: max(0, end - clock())))
        if ready < 0, errno == EINTR { continue }
        guard ready > 0 else { return nil }
      }
      let count = unsafe block.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { break }
      bytes += block[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Milliseconds on the monotonic clock.
  private static func clock() -> Int64 {
    var time = timespec()
    // Only fills in the struct it is given.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
