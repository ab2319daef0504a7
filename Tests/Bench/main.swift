// Prints what the hot paths cost: `swift run -c release bench [filter]`. Figures are this machine's of this minute;
// compare before and after in one session. `bench generate` writes a capture for Tests/Bench/capture.py.

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "generate" {
  Generate.run(Array(arguments.dropFirst()))
} else {
  let filter = arguments.first ?? ""
  let all =
    scanBenchmarks() + wireBenchmarks() + traceBenchmarks() + pipelineBenchmarks()
    + reassemblyBenchmarks()
  for benchmark in all where filter.isEmpty || benchmark.name.contains(filter) {
    benchmark.run()
  }
}
