import Clips
import Glibc
import Shots
import Testing
import TestSupport
import Timing

@Suite("What is done with complete clips") struct ClipCatalogTests {
  private let folder = TemporaryFolder()
  private var manifest: String { "\(folder.path)/m" }
  private var lines: Int { text(of: manifest).split("\n").count - 1 }

  private struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private func clip(_ shot: UInt64 = 1, isAround: Bool = false) -> FinishedClip {
    let record = ClipRecord(
      path: "\(folder.path)/\(shot)", videoName: "", start: 0, end: 10, frames: 1, shot: shot,
      boundary: isAround ? cut(shot, at: 50) : nil, width: 1, height: 1, rate: nil)
    return FinishedClip(record: record, start: frame(40), end: frame(60), isAround: isAround, around: [])
  }

  /// What was listed; nil if nothing was.
  private func list(_ catalog: inout ClipCatalog, _ clip: FinishedClip, _ warnings: inout [String]) -> ClipRecord? {
    if case .listed(let record) = catalog.take(clip, warn: { warnings.append("\($0)") }) { record } else { nil }
  }

  private func captions(_ clips: [FinishedClip], _ describe: @escaping @Sendable ([FinishedClip.Scene], String) throws -> [String]?) -> (
    before: [String], after: [String], warnings: [String]
  ) {
    var catalog = ClipCatalog(manifest: manifest, describe: describe)
    var warnings: [String] = []
    let records = clips.compactMap { list(&catalog, $0, &warnings) }
    return (records.map(\.previousText), records.map(\.nextText), warnings)
  }

  // MARK: Lists

  @Test func `a clip that is kept gets its line`() {
    var catalog = ClipCatalog(manifest: manifest, isKept: { _ in true })
    var warnings: [String] = []
    #expect(list(&catalog, clip(), &warnings) == clip().record && text(of: manifest) == clip().record.json + "\n")
  }

  @Test func `one that is not is gone, and has no line`() {
    for shot in 1...2 { close(open("\(folder.path)/\(shot)", O_CREAT | O_WRONLY, 0o600)) }
    var catalog = ClipCatalog(manifest: manifest, isKept: { !$0.hasSuffix("1") })
    guard case .rejected = catalog.take(clip(1), warn: { _ in }) else {
      Issue.record("it was kept")
      return
    }
    var warnings: [String] = []
    #expect(list(&catalog, clip(2), &warnings) != nil && folder.names == ["2", "m"] && lines == 1)
  }

  @Test func `a manifest that cannot be written ends it all, once`() {
    var catalog = ClipCatalog(manifest: "\(folder.path)/nowhere/m")
    guard case .failed = catalog.take(clip(1), warn: { _ in }) else {
      Issue.record("it did not fail")
      return
    }
    guard case .ignored = catalog.take(clip(2), warn: { _ in }) else {
      Issue.record("it went on")
      return
    }
  }

  @Test func `a check that fails ends it all, and the clip stays`() {
    close(open("\(folder.path)/1", O_CREAT | O_WRONLY, 0o600))
    var catalog = ClipCatalog(manifest: manifest, isKept: { _ in throw Failure(description: "cannot be read") })
    guard case .failed(let error) = catalog.take(clip(), warn: { _ in }) else {
      Issue.record("it did not fail")
      return
    }
    #expect("\(error)" == "cannot be read" && folder.names == ["1"])
  }

  @Test func `without a manifest a clip is only told of`() {
    var catalog = ClipCatalog(manifest: nil)
    var warnings: [String] = []
    #expect(list(&catalog, clip(), &warnings) != nil && folder.names == [])
  }

  // MARK: Captions

  @Test func `a clip around a boundary has the captions of both scenes`() {
    let all = captions([clip(isAround: true)]) { scenes, path in scenes.indices.map { "\($0) of \(path.last ?? "?")" } }
    #expect(all.before == ["0 of 1"] && all.after == ["1 of 1"] && all.warnings == [])
  }

  @Test func `a shot has its caption, and that of the shot before it`() {
    let all = captions([1, 2, 3].map { clip($0) }) { _, path in [String(path.suffix(1))] }
    #expect(all.before == ["", "1", "2"] && all.after == ["1", "2", "3"])
  }

  @Test func `a shot behind one that was not kept has none of the one before`() {
    let all = captions([1, 2, 4, 5].map { clip($0) }) { _, path in [String(path.suffix(1))] }
    #expect(all.before == ["", "1", "", "4"])
  }

  @Test func `a description that fails costs the captions, and one warning a reason`() {
    let all = captions([1, 2, 3, 4].map { clip($0) }) { _, path in
      if path.hasSuffix("4") { return ["4"] }
      throw Failure(description: path.hasSuffix("3") ? "other" : "same")
    }
    #expect(all.before == ["", "", "", ""] && all.after == ["", "", "", "4"] && all.warnings == ["same", "other"] && lines == 4)
  }

  @Test func `where there are no captions to be had there are none`() {
    let all = captions([1, 2].map { clip($0) }) { _, _ in nil }
    #expect(all.before == ["", ""] && all.after == ["", ""] && all.warnings == [] && lines == 2)
  }

  // MARK: Scenes

  private static let slack = ClockTime.milliseconds(2)

  private static func around(_ boundary: Boundary, _ others: [Boundary] = [], start: Int = 40, end: Int = 60) -> [FinishedClip.Scene] {
    let record = ClipRecord(
      path: "", videoName: "", start: 0, end: 0, frames: 0, shot: boundary.shot, boundary: boundary, width: 0, height: 0, rate: nil)
    return FinishedClip(record: record, start: frame(start), end: frame(end), isAround: true, around: others).scenes
  }

  @Test func `a shot is one scene`() { #expect(clip().scenes == [0...(.max)]) }

  @Test func `a cut parts a clip in two scenes, the frame before it in the first`() {
    let scenes = Self.around(cut(2, at: 50))
    // From the clip's start to just before the cut, and from the cut to the end.
    #expect(scenes == [0...(frame(10) - .milliseconds(1)), (frame(10) - Self.slack)...(frame(20) + Self.slack)])
  }

  @Test func `what lies in a transition is in neither scene`() {
    var boundary = cut(2, at: 50)
    (boundary.transitionStart, boundary.transitionEnd) = (frame(47), frame(53))
    let scenes = Self.around(boundary)
    #expect(scenes == [0...(frame(7) + Self.slack), (frame(13) - Self.slack)...(frame(20) + Self.slack)])
  }

  @Test func `scenes reach to the boundaries beside them`() {
    var before = cut(1, at: 44), behind = cut(3, at: 56)
    before.transitionEnd = frame(45)
    behind.transitionStart = frame(54)
    let scenes = Self.around(cut(2, at: 50), [cut(0, at: 42), before, behind, cut(4, at: 58)])
    #expect(scenes.map(\.lowerBound) == [frame(5) - Self.slack, frame(10) - Self.slack])
    #expect(scenes.map(\.upperBound) == [frame(10) - .milliseconds(1), frame(14) + Self.slack])
  }

  @Test func `the ends of scenes are their first and last frames, and no more are read than needed`() {
    var ends = SceneEnds<Int>([0...frame(2), frame(4)...frame(6), (frame(6) + 1)...(frame(7) - 1)])
    let read = (0..<20).prefix { ends.take($0, at: frame($0)) }
    #expect(read.count == 7)
    #expect(ends.found.map { $0?.first } == [0, 4, nil] && ends.found.map { $0?.last } == [2, 6, nil])
    var none = SceneEnds<Int>([])
    #expect(!none.take(0, at: 0) && none.found.isEmpty)
    var open = SceneEnds<Int>([0...(.max)])
    #expect((0..<20).allSatisfy { open.take($0, at: frame($0)) } && open.found.first??.last == 19)
  }

  @Test func `a transition that is said to reach out of the clip makes no scene that ends before it begins`() {
    var boundary = cut(2, at: 50)
    (boundary.transitionStart, boundary.transitionEnd) = (0, .max)
    for scene in Self.around(boundary) { #expect(scene.lowerBound <= scene.upperBound) }
  }
}
