import CGStreamer
import Testing

extension Shots {
  /// Boundaries as GStreamer's analytics metadata, which came with 1.24.
  @Suite("Analytics metadata") struct AnalyticsTests {
    private let video: Video

    init() throws { video = try Video("I420", 64, 36) }

    /// Bright frames from the fifth to the ninth of twelve: two cuts. All carry what another element says of them if `isAnalysed`.
    private func play(_ harness: Harness, isAnalysed: Bool = false) throws {
      harness.setVideo(video)
      for index in 0..<12 {
        let buffer = try video.picture((5..<9).contains(index) ? Pictures.bright(video) : Pictures.dark(video))
        if isAnalysed { Analysis.add("cat", to: buffer) }
        harness.push(buffer, at: frameTime(index))
      }
      harness.end()
    }

    private func hasProperty(_ name: String) throws -> Bool {
      try Plugin.require()
      guard let element = gst_element_factory_make("shotdetect", nil) else { throw Failure("no element") }
      gst_object_ref_sink(element)
      defer { gst_object_unref(element) }
      guard let gclass = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GTypeInstance.self).pointee.g_class else { return false }
      return g_object_class_find_property(UnsafeMutableRawPointer(gclass).assumingMemoryBound(to: GObjectClass.self), name) != nil
    }

    @Test func `the property is there where GStreamer has the metadata`() throws {
      #expect(try hasProperty("analytics-meta") == Analysis.isAvailable)
    }

    @Test(
      .enabled(if: Analysis.isAvailable),
      arguments: [("content", "false"), ("content", "true"), ("adaptive", "true"), ("histogram", "false")])
    func `each boundary is a class and an object on the first buffer of its shot`(_ detector: String, _ align: String) throws {
      let harness = try Harness(
        "shotdetect", ["detector": detector, "align": align, "min-shot-duration": "0", "analytics-meta": "true"])
      try play(harness)
      let analyses = harness.out.frames.map(\.analysis)
      #expect(analyses.indices.filter { analyses[$0].metas > 0 } == [5, 9])
      #expect(harness.out.marked == [5, 9])
      let threshold = try #require(["content": 27, "adaptive": 3, "histogram": 0.2][detector])
      for (index, boundary) in zip([5, 9], harness.bus.boundaries) {
        let told = try #require(boundary.double("score"))
        // That of histogram is a correlation.
        let score = detector == "histogram" ? 1 - told : told
        #expect(score >= threshold)
        let finding = Analysis.Finding(label: "shot-boundary/cut", confidence: Float(score / (score + threshold)))
        let found = analyses[index]
        #expect(found.metas == 1)
        #expect(found.classes.map(\.label) == [finding.label])
        #expect(abs((found.classes.first?.confidence ?? 0) - finding.confidence) < 1e-5)
        #expect(
          found.objects == found.classes.map { .init(finding: $0, x: 0, y: 0, width: 64, height: 36, classes: [finding.label]) })
      }
    }

    @Test(.enabled(if: Analysis.isAvailable)) func `a fade is called one, and its threshold may be one's own`() throws {
      let harness = try Harness(
        "shotdetect", ["detector": "threshold", "threshold": "40", "min-shot-duration": "0", "analytics-meta": "true"])
      harness.setVideo(video)
      for index in 0..<12 {
        let level: UInt8 = (4..<8).contains(index) ? 0 : 120
        harness.push(try video.flat(level, level, level), at: frameTime(index))
      }
      harness.end()
      let score = try #require(harness.bus.boundaries.first?.double("score"))
      let found = harness.out.frames.flatMap(\.analysis.classes)
      #expect(found.map(\.label) == ["shot-boundary/fade"])
      #expect(abs((found.first?.confidence ?? 0) - Float(score / (score + 40))) < 1e-5)
    }

    @Test(.enabled(if: Analysis.isAvailable)) func `what other elements have found stays, and there is one metadata`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0", "analytics-meta": "true"])
      try play(harness, isAnalysed: true)
      for (index, frame) in harness.out.frames.enumerated() {
        let isBoundary = index == 5 || index == 9
        #expect(frame.analysis.metas == 1)
        #expect(frame.analysis.classes.map(\.label) == ["cat"] + (isBoundary ? ["shot-boundary/cut"] : []))
        #expect(frame.analysis.classes.first?.confidence == 0.75)
        #expect(frame.analysis.objects.count == (isBoundary ? 1 : 0))
      }
    }

    @Test(.enabled(if: Analysis.isAvailable)) func `it needs neither the other metadata nor messages`() throws {
      let harness = try Harness(
        "shotdetect", ["min-shot-duration": "0", "attach-meta": "false", "post-messages": "false", "analytics-meta": "true"])
      try play(harness)
      let frames = harness.out.frames
      #expect(frames.indices.filter { frames[$0].analysis.metas > 0 } == [5, 9])
      #expect(harness.out.marked == [] && harness.bus.boundaries == [])
    }

    @Test func `nothing is attached unless it is asked for`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      try play(harness)
      #expect(harness.out.marked == [5, 9])
      #expect(harness.out.frames.allSatisfy { $0.analysis.metas == 0 })
    }
  }
}
