import ArgumentParser
import ReplayPlan
import Trace

/// Reading the trace that a replay starts from.
enum SourceTrace {
  /// Reads a file into scripts, with warnings on standard error.
  ///
  /// - Throws: `ExitCode` 65 after saying why.
  static func read(_ path: String, keepsResults: Bool = false) throws -> RecordedTraffic {
    var builder = ScriptBuilder(keepsResults: keepsResults)
    let tornTail: Int
    do throws(TraceFormatError) {
      let reader = try TraceReader(path: path)
      while let event = try reader.next() { builder.add(event) }
      tornTail = reader.tornTail
    } catch {
      if case .io(let errno) = error.reason {
        throw failure(Exit.unreadableInput, "cannot read \(path): \(words(errno))")
      }
      throw failure(
        Exit.unreadableInput, "\(path): \(error); give a readable .mcptrace file")
    }
    if tornTail > 0 {
      say(
        "replay: \(path): the trace is cut off at its end (\(tornTail) bytes); all before that was read"
      )
    }
    let traffic = builder.finish()
    guard !traffic.scripts.isEmpty else {
      throw failure(
        Exit.unreadableInput,
        "\(path): holds no session that can be replayed; look at it with `trace show`")
    }
    if traffic.payloads == .none {
      throw failure(
        Exit.unreadableInput,
        "\(path): was recorded with --payloads none, so that nothing is known of what calls said; record with full or shape"
      )
    }
    let endpoints = Set(traffic.scripts.map(\.endpoint))
    if endpoints.count > 1 {
      say(
        "replay: \(path): holds sessions of \(endpoints.count) endpoints "
          + "(\(endpoints.sorted().prefix(3).joined(separator: ", "))…); all of them go to the one --target"
      )
    }
    return traffic
  }
}
