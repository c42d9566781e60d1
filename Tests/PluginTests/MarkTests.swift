import CGStreamer
import Testing

extension Shots {
  /// What is told of a boundary: message, metadata, counters, key-frame request.
  @Suite("Marks") struct MarkTests {
    private let video: Video
    /// Times differ on all three clocks: running 5 s and stream 100 s at a pts of 10 s.
    private let segment = makeSegment(start: 10 * second, base: 5 * second, time: 100 * second)

    init() throws { video = try Video("I420", 64, 36) }

    /// Five dark frames and three bright ones.
    private func play(_ harness: Harness) throws {
      harness.setVideo(video, segment)
      for index in 0..<8 {
        harness.push(try video.picture(index < 5 ? Pictures.dark(video) : Pictures.bright(video)), at: 10 * second + frameTime(index))
      }
    }

    @Test func `message and metadata carry the same typed fields`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      try play(harness)
      #expect(harness.bus.boundaries.count == 1)
      let fields = try #require(harness.bus.boundaries.first)
      #expect(fields.name == "shot-boundary")
      #expect(
        fields.order == [
          "kind", "shot", "frame", "pts", "running-time", "stream-time", "transition-start", "transition-end", "score", "detector",
        ])
      #expect(fields["kind"] == .string("cut"))
      #expect(fields["shot"] == .uint64(2))
      #expect(fields["frame"] == .uint64(5))
      #expect(fields["pts"] == .uint64(10 * second + frameTime(5)))
      #expect(fields["running-time"] == .uint64(5 * second + frameTime(5)))
      #expect(fields["stream-time"] == .uint64(100 * second + frameTime(5)))
      #expect(fields["transition-start"] == .uint64(100 * second + frameTime(4)))
      #expect(fields["transition-end"] == .uint64(100 * second + frameTime(5)))
      #expect(try #require(fields.double("score")) >= 27)
      #expect(fields["detector"] == .string("content"))

      #expect(harness.out.marked == [5])
      let marked = try #require(harness.out.frames.first { !$0.boundaries.isEmpty })
      #expect(marked.boundaries.count == 1)
      #expect(marked.boundaries.first?.values == fields.values)
      #expect(marked.pts == 10 * second + frameTime(5))
    }

    @Test func `a boundary that is known late is marked on the next buffer with its own times`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "min-shot-duration": "0"])
      try play(harness)
      #expect(harness.bus.cuts == [5])
      #expect(harness.out.marked == [7])
      #expect(harness.out.frames[7].boundaries.first?["pts"] == .uint64(10 * second + frameTime(5)))
      #expect(harness.out.frames[7].boundaries.first?.values == harness.bus.boundaries.first?.values)
    }

    @Test func `attach-meta false attaches nothing and posts still`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0", "attach-meta": "false"])
      try play(harness)
      #expect(harness.bus.cuts == [5])
      #expect(harness.out.marked == [])
    }

    @Test func `post-messages false posts nothing and attaches still`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0", "post-messages": "false"])
      try play(harness)
      #expect(harness.bus.boundaries == [])
      #expect(harness.out.marked == [5])
    }

    @Test func `shots, frames and last-score count`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      #expect(harness.number("shots") == 0 && harness.number("frames") == 0 && harness.double("last-score") == 0)
      harness.setVideo(video)
      for (index, isBright) in [false, false, true, true, false].enumerated() {
        harness.push(try video.picture(isBright ? Pictures.bright(video) : Pictures.dark(video)), at: frameTime(index))
        #expect(harness.number("frames") == UInt64(index + 1))
        #expect(harness.number("shots") == [1, 1, 2, 2, 3][index])
        #expect((harness.double("last-score") >= 27) == [false, false, true, false, true][index])
      }
      #expect(harness.bus.boundaries.map { $0.number("shot") } == [2, 3])
      #expect(harness.bus.boundaries.last?.double("score") == harness.double("last-score"))
    }

    @Test func `the first frames of a stream are no boundary`() throws {
      let harness = try Harness("shotdetect")
      try play(harness)
      #expect(harness.bus.boundaries == [])
    }

    @Test(arguments: [("content", "false"), ("content", "true"), ("adaptive", "true")])
    func `force-key-units asks directly before the boundary buffer`(_ detector: String, _ align: String) throws {
      let harness = try Harness(
        "shotdetect", ["detector": detector, "min-shot-duration": "0", "force-key-units": "true", "align": align])
      try play(harness)
      harness.end()
      let story = harness.out.story
      let first = try #require(story.firstIndex(of: "0"))
      #expect(story[first...] == ["0", "1", "2", "3", "4", "GstForceKeyUnit", "5", "6", "7", "eos"])
      let request = try #require(harness.out.events.compactMap(\.keyUnit).first)
      #expect(request.pts == 10 * second + frameTime(5))
      #expect(request.runningTime == 5 * second + frameTime(5))
      #expect(request.streamTime == 100 * second + frameTime(5))
      #expect(harness.out.frames[5].pts == request.pts)
      #expect(harness.bus.warnings == [])
    }

    @Test func `without force-key-units nobody is asked`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      try play(harness)
      #expect(harness.out.events.allSatisfy { $0.keyUnit == nil })
    }

    @Test func `key frames that will be late are warned of`() throws {
      let harness = try Harness("shotdetect", ["detector": "adaptive", "force-key-units": "true"])
      try play(harness)
      #expect(harness.bus.warnings.count == 1)
      #expect(harness.bus.warnings.first?.contains("align") == true)
    }

    @Test func `post-toc sends and posts the shots as chapters`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0", "post-toc": "true"])
      harness.setVideo(video, segment)
      for index in 0..<12 {
        let isBright = (4..<9).contains(index)
        harness.push(try video.picture(isBright ? Pictures.bright(video) : Pictures.dark(video)), at: 10 * second + frameTime(index))
      }
      #expect(harness.bus.all(.tableOfContents) == [])
      harness.end()
      func chapter(_ number: Int, _ start: Int, _ end: Int) -> Chapter {
        Chapter(title: "Shot \(number)", start: Int64(100 * second + frameTime(start)), end: Int64(100 * second + frameTime(end)))
      }
      let chapters = [chapter(1, 0, 4), chapter(2, 4, 9), chapter(3, 9, 12)]
      #expect(harness.out.story.suffix(3) == ["11", "toc", "eos"])
      #expect(harness.out.events.first { $0.name == "toc" }?.chapters == chapters)
      #expect(harness.bus.all(.tableOfContents).map(\.chapters) == [chapters])
    }

    @Test func `a generated shot is still one at its new time, and where it fades in`() throws {
      let harness = try Harness("defade", ["mode": "cut", "margin": "0"])
      let prompt = "\"狐狸\"\nwakes, up; {1}"
      let marks = [
        Mark(frame: 45, start: 40, end: 50, prompt: "Dawn"), Mark(kind: "cut", frame: 70, start: 69, end: 70, shot: 3, prompt: prompt),
      ]
      harness.setVideo(video)
      for number in 0..<100 {
        let buffer = try video.noise(UInt8(number))
        for mark in marks where mark.frame == number { mark.add(to: buffer) }
        harness.push(buffer, at: frameTime(number))
      }
      harness.end()
      let found = harness.out.frames.flatMap(\.boundaries)
      #expect(found.map { $0["frame"] } == [.uint64(41), .uint64(61)])
      #expect(found.map { $0["prompt"] } == [.string("Dawn"), .string(prompt)])
      for fields in found { #expect(fields["generated"] == .bool(true) && fields["generator"] == .string("diffusion")) }
    }

    @Test func `without post-toc there are no chapters`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0"])
      try play(harness)
      harness.end()
      #expect(harness.bus.all(.tableOfContents) == [])
      #expect(harness.out.story.last == "eos")
      #expect(!harness.out.story.contains("toc"))
    }
  }
}
