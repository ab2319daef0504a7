import Basics
import Crypto
import MCP
import NIOCore
import Trace

/// The identity of a plan: two runs with one digest meant to do the same.
///
/// Agents are a pure function of what goes in: the scripts as they are in the run, when they were recorded, and the options that
/// choose and move copies.
enum PlanDigest {
  static func digest(
    _ options: PlanOptions, _ scripts: [AgentScript], recorded length: Int64
  ) -> String {
    var hash = SHA256()
    func add(_ parts: String...) {
      hash.update(data: Array((parts.joined(separator: "\t") + "\n").utf8))
    }
    add("plan 2", "seed \(options.seed)", "length \(length)", "end \(options.end ?? -1)")
    add("load \(options.load)", "count \(options.count.map { "\($0)" } ?? "")", "\(options.loops)")
    add("burst \(options.burst)", "resample \(options.resample)", "jitter \(options.jitter)")
    add("window \(options.phaseWindow)", "start \(options.start(length))")
    add("think \(options.thinkJitter)", "coupling \(options.coupling)")
    add("arrival \(options.arrivalScale)", "\(options.onUnresolved.rawValue)")
    for script in scripts {
      add("session", script.session.name, script.session.revision ?? "", "\(script.session.start)")
      add(script.session.client.map { "\($0.name) \($0.version)" } ?? "")
      for (i, step) in script.session.steps.enumerated() {
        add(
          "step \(step.n)", "\(step.kind)", step.method, "think \(script.timing.think[i])",
          "after \(step.after)", "gates \(step.gates)", "rounds \(script.timing.roundThink[i])",
          "skip \(script.skips[i]?.rawValue ?? "")")
        if let params = step.params { hash.update(data: Array(params.bytes.readableBytesView)) }
        if let omission = step.omission { add("omission \(omission)") }
        for binding in step.bindings { add("value \(binding.value) at \(binding.at)") }
      }
      for value in script.session.values { add("value of \(value.step) \(value.source.path)") }
    }
    let digits = Array("0123456789abcdef")
    return hash.finalize().reduce(into: "") {
      $0.append(digits[Int($1 >> 4)])
      $0.append(digits[Int($1 & 15)])
    }
  }
}
