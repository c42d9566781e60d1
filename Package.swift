// swift-tools-version: 6.2
import PackageDescription

// The machines of Shots and Extension are generic over what they order. Where the project's own scripts build the plugin they are
// specialised for its buffers, which takes 1 to 2 µs off a frame. SwiftPM calls the flag unsafe: packages that depend on the libraries
// build without it.
let specialized: [SwiftSetting] =
  Context.environment["GST_SHOTS_SCRIPTS"] == nil ? [] : [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]

// For launch/test --sanitize. The sanitizer's runtime comes with the program that loads the plugin, and the Swift runtime is shared with
// it: both must see the same locks and the same memory.
let isSanitized = Context.environment["GST_SHOTS_SANITIZE"] != nil
let oneSymbol = ["-Xlinker", "--version-script=\(Context.packageDirectory)/plugins/shots/plugin.map"]
// One self-contained file: the Swift runtime inside, one symbol outside. What the loader has resolved is read-only, as Debian's own
// packages have it.
let selfContained = [
  "-static-stdlib", "-Xlinker", "--gc-sections", "-lswiftSynchronization", "-Xlinker", "-z", "-Xlinker", "defs", "-Xlinker", "-s",
  "-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now",
]

let package = Package(
  name: "gst-shots",
  products: [
    .library(name: "gstshots", type: .dynamic, targets: ["ShotsPlugin"]),
    .library(name: "GStreamerKit", targets: ["GStreamerKit"]),
    .library(name: "Shots", targets: ["Shots"]),
    .library(name: "ShotLists", targets: ["ShotLists"]),
    .library(name: "Clips", targets: ["Clips"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "TransNet", targets: ["TransNet"]),
    .library(name: "Diffusion", targets: ["Diffusion"]),
    .library(name: "Extension", targets: ["Extension"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0")
  ],
  targets: [
    .systemLibrary(name: "CGStreamer", pkgConfig: "gstreamer-video-1.0"),
    .systemLibrary(name: "CGStreamerCheck", pkgConfig: "gstreamer-check-1.0"),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas"),
    .systemLibrary(name: "COneDNN"),
    .systemLibrary(name: "CGLib", pkgConfig: "glib-2.0"),
    .target(name: "CVersion"),
    .target(
      name: "GStreamerKit", dependencies: ["CGStreamer", "Threads", "Timing", .product(name: "DequeModule", package: "swift-collections")],
      exclude: ["README.md"]),
    .target(name: "Timing"),
    .target(name: "Files"),
    .target(name: "Pixels"),
    .target(name: "Threads", dependencies: ["Timing"]),
    .target(
      name: "Shots", dependencies: ["Pixels", "Timing", .product(name: "DequeModule", package: "swift-collections")],
      swiftSettings: specialized),
    .target(name: "ShotLists", dependencies: ["Files", "Shots", "Threads", "Timing"]),
    .target(
      name: "Clips",
      dependencies: ["Files", "ShotLists", "Shots", "Threads", "Timing", .product(name: "DequeModule", package: "swift-collections")]),
    .target(name: "Tensors", dependencies: ["COneDNN", "Files", "Threads"]),
    .target(
      name: "TransNet",
      dependencies: ["Pixels", "Shots", "Tensors", "Threads", "Timing", .product(name: "DequeModule", package: "swift-collections")]),
    .target(name: "Diffusion", dependencies: ["CGLib", "Files", "Pixels", "Tensors", "Threads"], exclude: ["README.md"]),
    .target(
      name: "Extension", dependencies: ["Diffusion", "Files", "Pixels", "Shots", "Tensors", "Threads", "Timing"], exclude: ["README.md"],
      swiftSettings: specialized),
    // The plain float32 paths that tests trust, apart from what the plugin links.
    .target(name: "TensorsOpenBLAS", dependencies: ["COpenBLAS"]),
    .target(name: "TransNetReference", dependencies: ["Tensors", "TensorsOpenBLAS", "TransNet"]),
    // Runs the network over raw frames: what launch/bench and the tools of the tests measure and compare.
    .executableTarget(name: "transnet", dependencies: ["Tensors", "Threads", "TransNet"], path: "Tests/TransNetTool"),
    // Measures the diffusion engine: what launch/bench runs beside PyTorch and diffusers.
    .executableTarget(name: "diffusion", dependencies: ["Diffusion", "Tensors", "Threads"], path: "Tests/DiffusionTool"),
    // Plays random sequences on the built plugin, which it loads as an application does: what launch/fuzz runs.
    .executableTarget(name: "fuzz-elements", dependencies: ["CGStreamer", "CGStreamerCheck"], path: "Tests/FuzzElements"),
    // Damaged files against every reader: what launch/fuzz runs, among others.
    .executableTarget(
      name: "fuzz", dependencies: ["Diffusion", "Extension", "Files", "Shots", "Tensors", "Threads", "Timing", "TransNet"],
      path: "Tests/FuzzTool"),
    .target(
      name: "ShotsPlugin",
      dependencies: [
        "CGStreamer", "Clips", "CVersion", "Diffusion", "Extension", "Files", "GStreamerKit", "Pixels", "ShotLists", "Shots", "Tensors",
        "Threads", "Timing", "TransNet", .product(name: "DequeModule", package: "swift-collections"),
      ],
      path: "plugins/shots",
      exclude: ["plugin.map"],
      linkerSettings: [.unsafeFlags(isSanitized ? oneSymbol : oneSymbol + selfContained)]),
    .testTarget(name: "GStreamerKitTests", dependencies: ["CGStreamer", "CGStreamerCheck", "GStreamerKit", "Timing"]),
    .testTarget(name: "PixelsTests", dependencies: ["Pixels"]),
    .testTarget(name: "FilesTests", dependencies: ["Files"]),
    // What tests of several modules share.
    .target(name: "TestSupport", dependencies: ["Shots", "Timing"], path: "Tests/Support"),
    .testTarget(name: "ShotsTests", dependencies: ["Pixels", "Shots", "TestSupport", "Timing"], exclude: ["Fixtures"]),
    .testTarget(name: "ShotListsTests", dependencies: ["ShotLists", "Shots", "TestSupport", "Timing"], exclude: ["Fixtures"]),
    .testTarget(name: "ClipsTests", dependencies: ["Clips", "Files", "ShotLists", "Shots", "TestSupport", "Threads", "Timing"]),
    .testTarget(name: "TensorsTests", dependencies: ["Files", "Tensors"]),
    .testTarget(
      name: "TransNetTests", dependencies: ["Shots", "Tensors", "Timing", "TransNet", "TransNetReference"], exclude: ["Fixtures"]),
    .testTarget(name: "DiffusionTests", dependencies: ["Diffusion", "Pixels", "Tensors"], exclude: ["Fixtures"]),
    .testTarget(name: "ExtensionTests", dependencies: ["Diffusion", "Extension", "Pixels", "Shots", "Tensors", "Timing"]),
    // Loads the built plugin as an application does; never links it.
    .testTarget(name: "PluginTests", dependencies: ["CGStreamer", "CGStreamerCheck"], exclude: ["Fixtures"]),
  ]
)

// Continuous integration takes no warning.
if Context.environment["GST_SHOTS_STRICT"] != nil {
  for target in package.targets where [.regular, .executable, .test].contains(target.type) && target.name != "CVersion" {
    target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
  }
}
