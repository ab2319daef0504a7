import Basics
import Glibc

extension ReplayFidelity {
  /// What a faithful replay shows on a quiet machine, and what this one did. IDC has a gate where the replay's plan says a band.
  public var gates: [Gate] {
    var gates = [
      Gate(
        name: "chains exact", value: "\(exact) of \(sessions) sessions", limit: "all",
        isMet: exact == sessions),
      Gate(name: "sent before an answer", value: "\(early) calls", limit: "0", isMet: early == 0),
    ]
    gates += think
    gates.append(rmse)
    gates += bursts
    gates.append(
      Gate(
        name: "calls in flight, peak", value: "\(peakCalls.replayed)",
        limit: "recorded \(peakCalls.recorded)", isMet: nil))
    let calls = arguments.verbatim + arguments.rewritten + arguments.other
    gates.append(
      Gate(
        name: "arguments",
        value:
          "\(arguments.verbatim) verbatim, \(arguments.rewritten) rewritten, \(arguments.other) otherwise",
        limit: "of \(calls)", isMet: nil))
    return gates
  }

  /// True when every gate is met.
  public var isFaithful: Bool { gates.allSatisfy { $0.isMet != false } }

  private var think: [Gate] {
    guard thinkError.count > 0 else { return [] }
    let values = [
      ("p50", thinkError.p50, 1.0), ("p99", thinkError.p99, 5.0), ("max", thinkError.max, 20.0),
    ]
    return values.map { name, value, limit in
      Gate(
        name: "think error \(name)", value: "\(ReplayFidelity.rounded(value)) ms",
        limit: origin.keepsThinkTimes
          ? "<= \(Int(limit)) ms" : "(the plan has think times of its own)",
        isMet: origin.keepsThinkTimes ? value <= limit : nil)
    }
  }

  private var rmse: Gate {
    let isJudged = isOnce && origin.keepsThinkTimes
    return Gate(
      name: "execution RMSE",
      value: executionRMSE.map { "\(ReplayFidelity.rounded($0 * 100)) % of peak" } ?? "unknown",
      limit: isJudged ? "<= 2 %" : "(at x1)",
      isMet: isJudged ? executionRMSE.map { $0 <= 0.02 } ?? false : nil)
  }

  private var bursts: [Gate] {
    dispersion.compactMap { entry in
      guard entry.recorded != nil || entry.replayed != nil else { return nil }
      func text(_ value: Double?) -> String {
        value.map { "\(ReplayFidelity.rounded($0))" } ?? "too few windows"
      }
      let recorded = "recorded \(text(entry.recorded))"
      guard let band = entry.band, let value = entry.replayed else {
        return Gate(
          name: "IDC \(entry.window)", value: text(entry.replayed), limit: recorded, isMet: nil)
      }
      // A plan without chance has one value, which a window's edge may move.
      let room = band.upperBound - band.lowerBound < 0.1 * band.upperBound ? 0.1 : 0
      let isIn =
        value >= band.lowerBound * (1 - room) && value <= band.upperBound * (1 + room)
      let limits =
        room > 0
        ? "\(text(band.upperBound)) ± 10 % as planned"
        : "\(text(band.lowerBound)) to \(text(band.upperBound)) as planned"
      return Gate(
        name: "IDC \(entry.window)", value: text(value), limit: "\(limits); \(recorded)",
        isMet: isIn)
    }
  }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
