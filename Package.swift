// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "gst-shots",
  products: [
    .library(name: "GStreamerKit", targets: ["GStreamerKit"]),
    .library(name: "Shots", targets: ["Shots"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
  ],
  targets: [
    .systemLibrary(name: "CGStreamer", pkgConfig: "gstreamer-video-1.0"),
    .systemLibrary(name: "CGStreamerCheck", pkgConfig: "gstreamer-check-1.0"),
    .target(name: "GStreamerKit", dependencies: ["CGStreamer", .product(name: "DequeModule", package: "swift-collections")]),
    .target(name: "Pixels"),
    .target(name: "Shots", dependencies: ["Pixels"]),
    .testTarget(name: "PixelsTests", dependencies: ["Pixels"]),
    .testTarget(name: "ShotsTests", dependencies: ["Pixels", "Shots"], exclude: ["Fixtures"]),
  ]
)
