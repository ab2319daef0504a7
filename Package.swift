// swift-tools-version: 6.3
import PackageDescription

// One strict set for every target. Each flag is a language proposal:
// SE-0335, SE-0409, SE-0444, SE-0461, SE-0458, SE-0443.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  // A property of another module's type may give a span of it (as NIO's own do).
  .enableExperimentalFeature("Lifetimes"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  // Debug builds, and so the tests, watch at run time that accesses to class members do not overlap. Release builds rely on
  // that: the checks are a tenth of what `record pcap` costs.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let arguments = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

func layer(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestKit", "Basics", nioCore],
    swiftSettings: strict)
}

// Fuzzing needs the sanitisers' runtime: `Tests/long/fuzz.sh` asks for this target, other builds don't have it.
let sanitizers = ["-sanitize=fuzzer,address", "-use-ld=lld"]
let fuzzers: [Target] =
  Context.environment["FUZZING"] == nil
  ? []
  : [
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets", nioCore], path: "Tests/Fuzz/Driver",
      swiftSettings: strict,
      linkerSettings: [.unsafeFlags(sanitizers)])
  ]

// The shipped `record` and `replay` carry the standard library: calls into it (references are counted some hundred times an
// exchange) are then direct, a twentieth of what `record pcap` costs. The two libraries are what Foundation's own archive needs.
let carriesLibrary: [LinkerSetting] = [
  .unsafeFlags(
    ["-static-stdlib", "-l_FoundationCollections", "-l_FoundationCShims"],
    .when(platforms: [.linux], configuration: .release))
]

// Rows 0 to 5: a target imports only from rows above it, and only what it lists.
// `LayeringTests` holds this table and the imports in the sources together.
let package = Package(
  name: "mcp-traffic",
  products: [
    .executable(name: "record", targets: ["record"]),
    .executable(name: "replay", targets: ["replay"]),
    .executable(name: "trace", targets: ["trace"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CBrotli"),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CPcap"),
    .systemLibrary(name: "CZlib"),
    .systemLibrary(name: "CZstd"),

    layer("Basics", [nioCore]),

    layer(
      "Wire", ["Basics", "CBrotli", "CZlib", "CZstd", crypto, cryptoExtras, nioCore, nioHPACK]),
    layer("Packets", ["Basics", nioCore]),
    layer("Spawn", []),
    layer(
      "Trace", ["Basics", "CZstd", nioCore],
      resources: [.embedInCode("mcptrace.schema.json")]),

    layer("MCP", ["Basics", "Wire", "Trace", nioCore]),
    layer("Redaction", ["Basics", "Trace", crypto, nioCore]),

    layer("Dissection", ["Basics", "Wire", "MCP", "Redaction", "Trace", crypto, nioCore]),
    layer("Analysis", ["Basics", "Trace", "MCP"]),
    layer("ReplayPlan", ["Basics", "Trace", "MCP", "Redaction", "Wire", crypto, nioCore, heap]),

    layer("Report", ["Basics", "Trace", "Analysis", "ReplayPlan"]),
    layer("Capture", ["Basics", "Packets", "CPcap", "CZlib", "CZstd", nioCore]),
    layer("Proxy", ["Basics", "Wire", "Spawn", nioCore, nioPosix]),
    layer(
      "ReplayEngine",
      [
        "Basics", "Trace", "MCP", "Redaction", "Wire", "Spawn", "ReplayPlan", nioCore, nioPosix,
        nioSSL, nioTLS, histogram,
      ]),
    layer("CommandSupport", ["Trace", "Redaction", "Dissection", arguments]),
    layer("MockServer", ["Basics", "Trace", "MCP", "Wire", "ReplayPlan", nioCore, nioPosix]),

    .executableTarget(
      name: "record",
      dependencies: [
        "Basics", "Wire", "Trace", "Redaction", "Dissection", "Packets", "Capture", "Proxy",
        "Spawn", "CMalloc",
        "CommandSupport", nioCore, arguments,
      ],
      swiftSettings: strict, linkerSettings: carriesLibrary),
    .executableTarget(
      name: "replay",
      dependencies: [
        "Basics", "Trace", "MCP", "Redaction", "Analysis", "ReplayPlan", "Report", "ReplayEngine",
        "MockServer",
        "CommandSupport", nioCore, nioPosix, arguments,
      ],
      resources: [.embedInCode("Demo/demo.mcptrace")],
      swiftSettings: strict, linkerSettings: carriesLibrary),
    .executableTarget(
      name: "trace",
      dependencies: [
        "Basics", "Trace", "Redaction", "Dissection", "Analysis", "Report", "CommandSupport",
        arguments,
      ],
      swiftSettings: strict),

    .target(
      name: "TestKit",
      dependencies: [
        "Basics", "Wire", "Packets", "Trace", "Capture", "Dissection", "CZlib", "CZstd", nioCore,
        nioHPACK,
      ],
      path: "Tests/TestKit", swiftSettings: strict),

    .executableTarget(
      name: "bench",
      dependencies: [
        "Basics", "Wire", "Trace", "Packets", "Capture", "Dissection", "TestKit", nioCore,
      ],
      path: "Tests/Bench", exclude: ["tools", "capture.py", "replay.py"], swiftSettings: strict),

    .target(
      name: "FuzzTargets",
      dependencies: [
        "Basics", "Wire", "Packets", "Trace", "Capture", "Dissection", nioCore,
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: strict),

    tests("BasicsTests", []),
    tests("WireTests", ["Wire", "Packets", "Capture"]),
    tests("PacketsTests", ["Packets"]),
    tests("TraceTests", ["Trace"]),
    tests("MCPTests", ["MCP"]),
    tests("RedactionTests", ["Redaction", "Dissection", "Trace"]),
    tests("DissectionTests", ["Dissection", "Redaction", "Trace", "Packets", "Capture"]),
    tests("AnalysisTests", ["Trace", "Analysis"]),
    tests("ReplayPlanTests", ["ReplayPlan", "MCP", "Trace", "Wire"]),
    tests("ReportTests", ["Trace", "Analysis", "ReplayPlan", "Report"]),
    tests("CaptureTests", ["Packets", "Capture"]),
    tests("ProxyTests", ["Proxy", nioPosix]),
    tests(
      "ReplayEngineTests",
      ["ReplayEngine", "Redaction", "ReplayPlan", "Trace", "Wire", nioPosix]),
    tests("MockServerTests", ["MockServer", "Trace", "Wire", nioPosix]),
    tests("TraceCommandTests", ["trace"]),
    tests("ServeCommandTests", ["replay"]),
    tests("RecordCommandTests", ["record", "trace", "Capture", "Packets", "Trace"]),
    tests("ReplayCommandTests", ["replay", "Trace"]),
    tests("FuzzTests", ["FuzzTargets"]),
    tests("HouseTests", []),
  ] + fuzzers,
  swiftLanguageModes: [.v6]
)
