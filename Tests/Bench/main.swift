// Prints what the hot paths cost: `swift run -c release bench [filter]`. Figures are this machine's of this minute;
// compare before and after in one session.

let filter = CommandLine.arguments.dropFirst().first ?? ""

let all =
  scanBenchmarks() + wireBenchmarks() + traceBenchmarks() + pipelineBenchmarks()
  + reassemblyBenchmarks()

for benchmark in all where filter.isEmpty || benchmark.name.contains(filter) {
  benchmark.run()
}
