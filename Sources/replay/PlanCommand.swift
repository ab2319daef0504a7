import ArgumentParser
import Basics
import Glibc
import ReplayPlan
import Report

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Shows what `run` would do; sends nothing.",
    discussion: """
      Prints how long the run will take and why, how many agents and calls it has, its peaks with the recorded service times, \
      the calls that may write, and the first calls of the timetable.
      """)

  @Argument(help: "The trace to replay; - is standard input.", completion: .file())
  var trace: String

  @OptionGroup var load: LoadOptions

  @Option(help: "Calls of the timetable to show.")
  var show = 20

  @Flag(help: "Print JSON instead.")
  var json = false

  func run() throws {
    let traffic = try load.chained(SourceTrace.read(trace))
    let plan = Planner(traffic, try load.planOptions(for: traffic)).plan()
    put(json ? PlanJSON(plan).text : PlanText(plan).text(timetable: show), to: STDOUT_FILENO)
  }
}
