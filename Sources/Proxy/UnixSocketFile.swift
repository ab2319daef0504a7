internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The file of a Unix socket that is to be listened on.
///
/// The kernel leaves it behind when a process ends without closing, and then refuses the name. (A listener that is closed
/// takes its file with it; NIO does that.)
enum UnixSocketFile {
  /// Removes a socket file that nobody listens on. What answers, and what is no socket, stays: binding will say so.
  static func removeStale(_ path: String, on group: any EventLoopGroup) async {
    guard let found = socket(at: path) else { return }
    do {
      let channel = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path)
        .get()
      channel.close(promise: nil)
    } catch let error as IOError where error.errnoCode == ECONNREFUSED {
      // Another process may have put its own there meanwhile.
      guard let now = socket(at: path), now.st_dev == found.st_dev, now.st_ino == found.st_ino
      else { return }
      // Should it fail, binding will say why.
      _ = unsafe unlink(path)
    } catch {
      // Whatever else is the matter, binding will say it.
    }
  }

  private static func socket(at path: String) -> stat? {
    var facts = stat()
    // Fills in the structure it is given.
    guard unsafe lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK else { return nil }
    return facts
  }
}
