import Glibc

/// How many files and connections this process may have open.
public enum DescriptorLimit {
  /// Raises the limit from the usual 1,024 to what the system grants, and returns that; `nil` where the system does not say.
  @discardableResult
  public static func raise() -> Int? {
    var limit = rlimit()
    // Both calls read or fill in the struct they are given.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return nil
    }
    limit.rlim_cur = limit.rlim_max
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_max)
  }
}
