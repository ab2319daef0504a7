import ArgumentParser
import ReplayPlan

/// Which recorded calls are made, and with what values in place of the recorded ones.
struct CallChoice: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only calls of these tools: names with * and ?, separated by commas; repeatable.",
      valueName: "tools"))
  var only: [String] = []

  @Option(
    help: ArgumentHelp(
      "No calls of these tools: names with * and ?, separated by commas; repeatable.",
      valueName: "tools"))
  var skip: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Replace recorded values where the target has other data: a CSV file with tool,pointer,from,to, as \
      'read_*,/arguments/id,T-17,T-90'. An empty 'from' is any value. Values that the run's own answers give are taken from those.
      """, valueName: "file"), completion: .file())
  var map: String?

  /// Tells a plan.
  ///
  /// - Throws: `ExitCode` 65 for a map that can't be read, after saying why.
  func apply(to options: inout PlanOptions, _ traffic: RecordedTraffic) throws {
    options.only = CallChoice.patterns(only)
    options.skip = CallChoice.patterns(skip)
    if let map { options.map = try CallChoice.valueMap(map, traffic) }
  }

  private static func valueMap(
    _ file: String, _ traffic: RecordedTraffic
  ) throws -> ValueMap {
    let text: String
    do throws(FileText.Failure) {
      text = try FileText.read(file)
    } catch {
      throw failure(Exit.unreadableInput, "cannot read --map \(file): \(words(error.errno))")
    }
    let map: ValueMap
    do throws(ValueMap.FormatError) {
      map = try ValueMap(csv: text)
    } catch {
      throw failure(Exit.unreadableInput, "--map \(file): \(error)")
    }
    let unused = map.unused(in: traffic)
    if !unused.isEmpty {
      say(
        "replay: --map \(file): no recorded call matches line \(unused.prefix(5).map(String.init).joined(separator: ", "))"
          + (unused.count > 5 ? " and \(unused.count - 5) more" : ""))
    }
    return map
  }

  private static func patterns(_ texts: [String]) -> [ToolPattern] {
    texts.flatMap { $0.split(separator: ",") }.map { ToolPattern(String($0)) }
  }
}
