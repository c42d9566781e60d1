// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "darkness",
  products: [.library(name: "gstdarkness", type: .dynamic, targets: ["Darkness"])],
  dependencies: [.package(name: "gst-shots", path: "../..")],
  targets: [
    .target(
      name: "Darkness", dependencies: [.product(name: "GStreamerKit", package: "gst-shots")], path: "Sources",
      linkerSettings: [
        .unsafeFlags(["-static-stdlib", "-Xlinker", "--version-script=\(Context.packageDirectory)/plugin.map", "-Xlinker", "--gc-sections"])
      ])
  ]
)
