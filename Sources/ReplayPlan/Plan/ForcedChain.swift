import Trace

/// A chain that every session makes instead of its own: `search,read,(write|note)`.
///
/// Theory: each session keeps its handshake and its end; between them stand calls that were recorded, its own ones where it has
/// such, else any session's. Every call is a turn; its think time is one that was recorded between the same two tools, where there
/// are any, else the call's own. A value of an answer is taken live when the call that gives it is in the chain before, else as it
/// was recorded.
public struct ForcedChain: Hashable, Sendable, CustomStringConvertible {
  /// As it was given.
  public let description: String
  /// For each place what may stand there, as likely as the others.
  let places: [[ToolPattern]]

  /// Reads names with `*` and `?`, separated by commas, with alternatives in parentheses; `nil` for anything else.
  public init?(_ text: String) {
    description = text
    var places: [[ToolPattern]] = []
    var rest = Substring(text)
    while true {
      var names: [Substring]
      if rest.first == "(" {
        guard let close = rest.firstIndex(of: ")") else { return nil }
        names = rest[rest.index(after: rest.startIndex)..<close]
          .split(separator: "|", omittingEmptySubsequences: false)
        rest = rest[rest.index(after: close)...]
      } else {
        let name = rest.prefix { $0 != "," }
        names = [name]
        rest = rest.dropFirst(name.count)
      }
      names = names.map { $0.drop { $0 == " " } }
      guard names.allSatisfy({ !$0.isEmpty && !$0.contains { "()|".contains($0) } }) else {
        return nil
      }
      places.append(names.map { ToolPattern(String($0)) })
      guard rest.first == "," else { break }
      rest = rest.dropFirst()
    }
    guard rest.isEmpty else { return nil }
    self.places = places
  }

  /// What the recording has no call for.
  public struct Missing: Error, Sendable, CustomStringConvertible {
    /// The place, from 1.
    public var place: Int
    /// What was to stand there.
    public var names: String

    /// One sentence.
    public var description: String {
      "place \(place) of the chain: no recorded call is of a tool like \(names); see the tools with `trace stats`"
    }
  }

  /// Returns the recording with the chain in place of its sessions' own calls. O(steps).
  public func applied(to traffic: RecordedTraffic, seed: UInt64) throws(Missing)
    -> RecordedTraffic
  {
    let all = traffic.scripts.indices.flatMap { s in
      traffic.scripts[s].steps.indices.filter { traffic.scripts[s].steps[$0].isCall }
        .map { Recorded(session: s, step: $0) }
    }
    var choices: [[[Recorded]]] = []
    for (i, patterns) in places.enumerated() {
      let found = patterns.map { pattern in
        all.filter {
          pattern.matches(traffic.scripts[$0.session].steps[$0.step].tool ?? "")
        }
      }.filter { !$0.isEmpty }
      guard !found.isEmpty else {
        throw Missing(
          place: i + 1, names: patterns.map(\.description).joined(separator: " or "))
      }
      choices.append(found)
    }
    let table = ThinkTable(traffic.scripts)
    var chained = traffic
    chained.length = 0
    for s in traffic.scripts.indices {
      var random = SplitMix64(seed, .chain, UInt64(s))
      var making = Making(traffic, session: s)
      for place in choices {
        let alternative = place[Int(random.below(Int64(place.count)))]
        let own = alternative.filter { $0.session == s }
        let calls = own.isEmpty ? alternative : own
        making.add(calls[Int(random.below(Int64(calls.count)))], table, &random)
      }
      chained.scripts[s] = making.finish()
      chained.length = max(
        chained.length, chained.scripts[s].start + chained.scripts[s].length)
    }
    return chained
  }

  /// A call of the recording.
  private struct Recorded {
    var session: Int
    var step: Int
  }

  /// A session while its chain grows.
  private struct Making {
    private let traffic: RecordedTraffic
    private let session: Int
    private var script: SessionScript
    private var handshake: [Int]
    private var places: [Int: Int] = [:]
    private var tool = ""
    private var turn = 0
    private var values: [Int: Int] = [:]
    private var time: Int64 = 0

    init(_ traffic: RecordedTraffic, session: Int) {
      self.traffic = traffic
      self.session = session
      var script = traffic.scripts[session]
      let first = script.steps.firstIndex { $0.isCall || $0.kind == .delete }
      script.steps = Array(script.steps[..<(first ?? script.steps.count)])
      script.values = []
      handshake = script.steps.indices.filter { i in
        ["initialize", "notifications/initialized"].contains(script.steps[i].method)
      }
      for i in script.steps.indices {
        places[i] = i
        script.steps[i].forgetValues()
        time = max(time, script.steps[i].offset + script.steps[i].service)
      }
      self.script = script
    }

    mutating func add(_ call: Recorded, _ table: ThinkTable, _ random: inout SplitMix64) {
      let source = traffic.scripts[call.session]
      var step = source.steps[call.step]
      let index = script.steps.count
      turn += 1
      step.turn = turn
      let earlier = script.steps.lastIndex { $0.isCall } ?? handshake.first
      let recorded = step.after.isEmpty ? 0 : step.think
      let thinks = table[.init(from: tool, to: step.tool ?? "")]
      step.think = thinks.isEmpty ? recorded : thinks[Int(random.below(Int64(thinks.count)))]
      step.after = earlier.map { [$0] } ?? []
      step.afterBy = .order
      step.gates = handshake.filter { !step.after.contains($0) }
      step.offset = time + step.think
      step.taskOf = nil
      step.taskEnd = nil
      step.bindings = step.bindings.compactMap { bound($0, source, call.session) }
      let live = step.bindings
      step.forgetValues()
      step.bindings = live
      if call.session == session { places[call.step] = index }
      tool = step.tool ?? ""
      time += step.think + step.service
      script.steps.append(step)
    }

    /// A value of an answer that the chain has before.
    private mutating func bound(
      _ binding: ScriptStep.Binding, _ source: SessionScript, _ from: Int
    ) -> ScriptStep.Binding? {
      let value = source.values[binding.value]
      guard from == session, let place = places[value.step] else { return nil }
      var binding = binding
      if let known = values[binding.value] {
        binding.value = known
      } else {
        values[binding.value] = script.values.count
        binding.value = script.values.count
        script.values.append(.init(step: place, source: value.source))
      }
      return binding
    }

    mutating func finish() -> SessionScript {
      if var end = traffic.scripts[session].steps.last(where: { $0.kind == .delete }) {
        end.after = [script.steps.count - 1]
        end.gates = []
        end.offset = time + end.think
        time += end.think + end.service
        script.steps.append(end)
      }
      script.length = time
      return script
    }
  }
}
