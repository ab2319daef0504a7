// `environ` is a variable of C; nothing here changes it.
@unsafe @preconcurrency internal import Glibc
internal import Synchronization

/// A program that was started with its standard input and output on pipes; its standard error is ours, or nobody's.
public struct ChildProcess: Sendable {
  /// Why a program could not be started.
  public struct StartError: Error, Sendable, CustomStringConvertible {
    /// Its name as it was given.
    public var program: String
    /// What the system said.
    public var errno: Int32

    /// One sentence: what and why.
    public var description: String {
      "cannot start \(program): \(unsafe String(cString: strerror(errno)))"
    }
  }

  /// How a program ended.
  public enum Ending: Hashable, Sendable {
    /// By itself, with this code.
    case code(Int32)
    /// By this signal.
    case signal(Int32)

    /// The code that shells give: 128 and the signal for those that a signal ended.
    public var exitCode: Int32 {
      switch self {
      case .code(let code): code
      case .signal(let number): 128 + number
      }
    }
  }

  /// The system's number of it.
  public let id: Int32
  /// Where its standard input is written to; the owner closes it.
  public let input: Int32
  /// Where its standard output is read from; the owner closes it.
  public let output: Int32

  /// Starts a program with its arguments; a name without a slash is looked for in `PATH`.
  ///
  /// Signals that this process ignores or blocks end it as usual. Descriptors that are to stay here must be close-on-exec.
  ///
  /// - Parameter isApart: whether it gets nothing of this process but the pipes: what it says on standard error goes nowhere, and
  ///   other descriptors are closed.
  public init(_ command: [String], isApart: Bool = false) throws(StartError) {
    self = try ChildProcess.oneAtATime.withLock { _ throws(StartError) in
      try ChildProcess(starting: command, isApart)
    }
  }

  /// Between a pipe's making and its mark another start would let a stranger inherit it: its reader would never see its end.
  private static let oneAtATime = Mutex(())

  /// Descriptors below this that programs would inherit are looked for; the few that are no close-on-exec are opened early.
  private static let descriptorsClosed: Int32 = 1024

  private init(starting command: [String], _ isApart: Bool) throws(StartError) {
    let program = command.first ?? ""
    var into: [2 of Int32] = [-1, -1]
    var from: [2 of Int32] = [-1, -1]
    guard !command.isEmpty else { throw StartError(program: program, errno: ENOENT) }
    guard ChildProcess.pipe(&into), ChildProcess.pipe(&from) else {
      let cause = errno
      for end in [into[0], into[1], from[0], from[1]] where end >= 0 { close(end) }
      throw StartError(program: program, errno: cause)
    }
    var id: pid_t = 0
    let status = ChildProcess.spawn(command, isApart, input: into[0], output: from[1], &id)
    close(into[0])
    close(from[1])
    guard status == 0 else {
      close(into[1])
      close(from[0])
      throw StartError(program: program, errno: status)
    }
    self.id = id
    input = into[1]
    output = from[0]
  }

  /// Waits until it has ended; once only.
  public func wait() -> Ending {
    var status: Int32 = 0
    // Writes the local it is given.
    while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
    let number = status & 0x7f
    return number == 0 ? .code(status >> 8 & 0xff) : .signal(number)
  }

  /// Whether it has ended, without waiting; true once only.
  public func hasEnded() -> Bool {
    var status: Int32 = 0
    // Writes the local it is given.
    return unsafe waitpid(id, &status, WNOHANG) != 0
  }

  /// Sends it a signal, as long as it has not been waited for.
  public func signal(_ number: Int32) { kill(id, number) }

  private static func pipe(_ ends: inout [2 of Int32]) -> Bool {
    var span = ends.mutableSpan
    // Two descriptors are what the call writes.
    let status = unsafe span.withUnsafeMutableBufferPointer { unsafe Glibc.pipe($0.baseAddress) }
    guard status == 0 else { return false }
    for end in [ends[0], ends[1]] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return true
  }

  /// Returns 0 or what went wrong; of the C structures none outlives the call.
  private static func spawn(
    _ command: [String], _ isApart: Bool, input: Int32, output: Int32, _ id: inout pid_t
  ) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    if isApart {
      unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
      for descriptor in STDERR_FILENO + 1..<ChildProcess.descriptorsClosed {
        let flags = fcntl(descriptor, F_GETFD)
        guard flags >= 0, flags & FD_CLOEXEC == 0 else { continue }
        unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
      }
    }
    var defaults = sigset_t()
    unsafe sigemptyset(&defaults)
    for number in [SIGPIPE, SIGXFSZ] { unsafe sigaddset(&defaults, number) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
    // Threads of a pool block signals, and a program inherits what the thread that starts it blocks.
    var blocked = sigset_t()
    unsafe sigemptyset(&blocked)
    unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
    let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    var words = unsafe command.map { unsafe strdup($0) } + [nil]
    defer { for i in 0..<command.count { unsafe free(words[i]) } }
    return unsafe posix_spawnp(&id, command[0], &actions, &attributes, &words, environ)
  }
}
