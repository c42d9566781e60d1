import CGStreamer
import GStreamerKit
import Synchronization

/// Sends two chapters at the end, the second without a title.
final class Chapters: PassthroughVideoFilter {
  static let description = ElementDescription(
    factory: "kittocs", typeName: "GstKitChapters", longName: "Chapters", klass: "Filter/Video", summary: "Sends chapters",
    author: "Tests", pads: PadTemplate.filter(caps: PadTemplate.rawVideo()))

  static let table = TableOfContents(chapters: [.init(title: "One", start: 0, end: 1000), .init(title: "", start: 1000, end: 2000)])

  init(_ handle: ElementHandle) {}

  func start(_ settings: Nothing) throws {}

  func see(_ input: borrowing InputBuffer, _ settings: Nothing, _ state: inout Void, _ output: inout Output<Nothing>) throws {}

  func finish(_ settings: Nothing, _ state: inout Void, _ output: inout Output<Nothing>, endOfStream: Bool) throws {
    output.push(.tableOfContents(Self.table), before: .max)
    output.post(Self.table)
  }
}
