import Basics
import Crypto
import MCP
import NIOCore

/// The identity of a plan: two runs with one digest meant to do the same.
enum PlanDigest {
  static func digest(
    _ options: PlanOptions, _ scripts: [AgentScript], _ agents: [PlannedAgent], _ open: Int?
  ) -> String {
    var hash = SHA256()
    func add(_ parts: String...) {
      hash.update(data: Array((parts.joined(separator: "\t") + "\n").utf8))
    }
    add("plan 1", "open \(open ?? 0)", "duration \(options.duration ?? -1)")
    for script in scripts {
      add("session", script.session.name, script.session.revision ?? "")
      for (i, step) in script.session.steps.enumerated() {
        add(
          "step \(step.n)", "\(step.kind)", step.method, "think \(script.think[i])",
          "after \(step.after)", "gates \(step.gates)", "rounds \(script.roundThink[i])",
          "skip \(script.skips[i]?.rawValue ?? "")", "params \(step.params?.text ?? "")")
        if let omission = step.omission { add("omission \(omission)") }
        for binding in step.bindings { add("value \(binding.value) at \(binding.at)") }
      }
      for value in script.session.values {
        add("value of \(value.step) \(value.source.path)", "\(script.onUnresolved.rawValue)")
      }
    }
    for agent in agents {
      add("agent \(agent.script).\(agent.clone)", "start \(agent.start)", "seed \(agent.seed)")
    }
    let digits = Array("0123456789abcdef")
    return hash.finalize().reduce(into: "") {
      $0.append(digits[Int($1 >> 4)])
      $0.append(digits[Int($1 & 15)])
    }
  }
}
