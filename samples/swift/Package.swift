// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "boundaries",
  dependencies: [.package(name: "gst-shots", path: "../..")],
  targets: [
    .executableTarget(name: "boundaries", dependencies: [.product(name: "GStreamerKit", package: "gst-shots")])
  ]
)
