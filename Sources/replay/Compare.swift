import Analysis
import ArgumentParser
import Basics
import Glibc
import Report
import Trace

/// `replay compare`
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares two results or traces; or a replay with its recording.",
    discussion: """
      Two summaries (--summary) or two traces: the ratio of success first, then latency, then throughput. A difference of shares is \
      real when its 95 % interval leaves out 0; one of latencies when the intervals of the quantiles do not meet and it is more \
      than 5 %. Whatever gets worse is a regression.

      --fidelity RECORDING REPLAY: how like its recording a replay was, from the trace that `replay run --record` wrote: chains, \
      calls sent before an answer they wait for, think times, bursts, arguments, outcomes. On a quiet machine a faithful replay \
      has think errors of at most 1 ms (p50), 5 ms (p99) and 20 ms (max), and at x1 an execution RMSE of at most 2 %; the index of \
      dispersion (IDC) of requests lies in the band that its plan gives.

      Exit codes: 0 no regression, every gate met; 1 a regression, or a gate missed; 2 not comparable; 65 unreadable input.
      """)

  @Argument(help: "The first summary or trace; with --fidelity the recording.", completion: .file())
  var first: String

  @Argument(
    help: "What is compared with it; with --fidelity the replay's own trace.", completion: .file())
  var second: String

  @Flag(help: "Compare a replay's own trace with the recording that it replays.")
  var fidelity = false

  func run() throws {
    if fidelity { return try compareFidelity() }
    let comparison = RunComparison(try read(first), try read(second))
    put(ComparisonText(comparison).text, to: STDOUT_FILENO)
    if comparison.trouble != nil { throw Exit.invalid }
    if comparison.isRegression { throw Exit.missed }
  }

  private func compareFidelity() throws {
    let recording = try contents(first, .full)
    let replay = try contents(second, .full)
    let result: ReplayFidelity
    do throws(ReplayFidelity.Incomparable) {
      result = try ReplayFidelity(recording, replay)
    } catch {
      throw failure(Exit.invalid, "\(second): \(error)")
    }
    put(FidelityText(result).text, to: STDOUT_FILENO)
    if !result.isFaithful { throw Exit.missed }
  }

  /// A summary is one JSON object, which a trace is not: that is an object a line, or compressed.
  private func read(_ path: String) throws -> ComparedRun {
    if ![".mcptrace", ".zst", ".jsonl"].contains(where: path.hasSuffix), path != "-" {
      let text: String
      do throws(FileText.Failure) {
        text = try FileText.read(path)
      } catch {
        throw failure(Exit.unreadableInput, "cannot read \(path): \(words(error.errno))")
      }
      guard let value = JSONValue(parsing: text), let run = ComparedRun(summary: value) else {
        throw failure(
          Exit.unreadableInput,
          "\(path): is no summary that `replay run --summary` wrote; the name of a trace ends in .mcptrace or .zst"
        )
      }
      return run
    }
    return ComparedRun(try contents(path, .outline))
  }

  private func contents(_ path: String, _ detail: TraceContents.Detail) throws -> TraceContents {
    do throws(TraceFormatError) {
      return try TraceContents(path: path, detail: detail)
    } catch {
      throw failure(Exit.unreadableInput, "\(path): \(error); give a readable .mcptrace file")
    }
  }
}
