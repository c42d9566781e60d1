import CGStreamer
import CGStreamerCheck
import Glibc
import Testing

extension Shots {
  /// Lists of streams that do not begin at 0 and only grow.
  @Suite("Times of shot lists") struct ShotLogTimeTests {
    private let folder: Folder
    private let video: Video

    init() throws {
      folder = try Folder()
      video = try Video("I420", 64, 36)
    }

    /// So many frames, bright from `cut` on.
    private func play(_ harness: Harness, _ count: Int, cut: Int, from begin: UInt64 = 0) throws {
      for index in 0..<count {
        #expect(
          harness.push(try video.picture(index >= cut ? Pictures.bright(video) : Pictures.dark(video)), at: begin + frameTime(index))
            == GST_FLOW_OK)
      }
    }

    private func events(_ file: String) -> [String] {
      lines(of: file).filter { $0.contains(" V     C ") }.map { $0.split(separator: " ").suffix(4).joined(separator: " ") }
    }

    @Test(arguments: [("", "content"), ("align=true detector=adaptive", "adaptive")])
    func `what a flushing seek takes back was never there`(_ properties: String, _ detector: String) throws {
      let (csv, qp, statistics) = (folder.file("list.csv"), folder.file("list.qp"), folder.file("scores.csv"))
      let harness = try Harness(
        launch: "shotdetect min-shot-duration=0 \(properties) ! shotlog location=\(csv) statistics-location=\(statistics) ! "
          + "shotlog format=qp location=\(qp)")
      harness.setVideo(video)
      try play(harness, 3, cut: 3)
      harness.flush()
      harness.setSegment(makeSegment(start: 10 * second, time: 10 * second))
      try play(harness, 30, cut: 12, from: 10 * second)
      harness.end()
      #expect(eventually { text(of: qp) == "0 I -1\n12 I -1\n" })
      #expect(eventually { lines(of: csv).last?.hasPrefix("2,13,00:00:10.480,10.480,30,00:00:11.200,11.200,18,") == true })
      #expect(lines(of: csv).contains { $0.hasPrefix("1,1,00:00:10.000,10.000,12,00:00:10.480,") })
      // The first frame behind the flush has none before it to be compared with.
      #expect(eventually { lines(of: statistics).last?.hasPrefix("30,00:00:11.160,") == true })
      #expect(lines(of: statistics).dropFirst().first?.hasPrefix("2,00:00:10.040,") == true)
    }

    @Test func `chapters are those of what came after a flush`() throws {
      let harness = try Harness("shotdetect", ["min-shot-duration": "0", "post-toc": "true"])
      harness.setVideo(video)
      try play(harness, 10, cut: 5)
      harness.flush()
      harness.setSegment(makeSegment(start: 10 * second, time: 10 * second))
      try play(harness, 30, cut: 12, from: 10 * second)
      harness.end()
      let ends = harness.out.events.first { $0.name == "toc" }?.chapters.map(\.end)
      #expect(ends == [10 * second + frameTime(12), 10 * second + frameTime(30)].map { Int64($0) })
    }

    @Test(arguments: [83_333_333, 783_333_333, 3_600_000_000_000] as [UInt64])
    func `a list counts from the first frame, messages in stream time`(_ begin: UInt64) throws {
      let (csv, edl) = (folder.file("list.csv"), folder.file("list.edl"))
      let harness = try Harness(
        launch: "shotdetect min-shot-duration=0 ! shotlog location=\(csv) ! shotlog format=edl location=\(edl)")
      harness.setVideo(video, makeSegment(start: begin, time: begin))
      try play(harness, 30, cut: 10, from: begin)
      harness.end()
      #expect(harness.bus.boundaries.first?["stream-time"] == .uint64(begin + frameTime(10)))
      #expect(eventually { lines(of: csv).last?.hasPrefix("2,11,00:00:00.400,0.400,30,00:00:01.200,1.200,20,") == true })
      #expect(
        eventually {
          events(edl) == ["00:00:00:00 00:00:00:10 00:00:00:00 00:00:00:10", "00:00:00:10 00:00:01:05 00:00:00:10 00:00:01:05"]
        })
    }

    @Test func `of two films in a stream each keeps its times, and record times run on`() throws {
      let edl = folder.file("list.edl")
      let harness = try Harness(launch: "shotdetect min-shot-duration=0 ! shotlog format=edl location=\(edl)")
      harness.setVideo(video)
      try play(harness, 30, cut: 10)
      harness.setSegment(makeSegment(base: frameTime(30)))
      try play(harness, 30, cut: 20)
      harness.end()
      #expect(
        eventually {
          events(edl) == [
            "00:00:00:00 00:00:00:10 00:00:00:00 00:00:00:10", "00:00:00:10 00:00:01:05 00:00:00:10 00:00:01:05",
            "00:00:00:00 00:00:00:20 00:00:01:05 00:00:02:00", "00:00:00:20 00:00:01:05 00:00:02:00 00:00:02:10",
          ]
        })
      for boundary in harness.bus.boundaries {
        #expect((boundary.number("transition-start") ?? 1) <= (boundary.number("transition-end") ?? 0))
      }
    }

    @Test func `films that concat puts together are named each`() throws {
      let edl = folder.file("list.edl")
      let copy = folder.file("copy of it.mp4")
      try #require(symlink(Excerpt.film, copy) == 0)
      let branch = "decodebin ! videoconvert ! identity eos-after=30 ! queue ! c."
      let pipeline = try Pipeline(
        "concat name=c ! shotdetect ! shotlog format=edl location=\(edl) ! fakesink "
          + "filesrc location=\"\(Excerpt.film)\" ! \(branch) filesrc location=\"\(copy)\" ! \(branch)")
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      let names = lines(of: edl).filter { $0.hasPrefix("* FROM CLIP NAME: ") }.map { $0.dropFirst(18) }
      #expect(names.first.map { Excerpt.film.hasSuffix("/" + $0) } == true && names.last == "copy of it.mp4")
    }

    @Test func `the film is named as its source says, or as source does`() throws {
      let (own, told) = (folder.file("own.edl"), folder.file("told.otio"))
      let pipeline = try Pipeline(
        "filesrc location=\"\(Excerpt.film)\" ! decodebin ! videoconvert ! identity eos-after=30 ! shotdetect ! "
          + "shotlog format=edl location=\(own) ! shotlog format=otio source=\"/films/an other.mov\" location=\(told) ! fakesink")
      try pipeline.run()
      #expect(text(of: own).contains("\n* FROM CLIP: \(Excerpt.film)\n"))
      #expect(text(of: told).contains("\"target_url\":\"file:///films/an%20other.mov\""))
      #expect(text(of: told).contains("\"name\":\"an other.mov\""))
    }

    @Test func `a rate that is not known is guessed, and one warning names frame-rate`() throws {
      for (rate, warnings) in [("", 1), ("frame-rate=29.97", 0), ("frame-rate=24000/1001", 0)] {
        let (edl, csv) = (folder.file("list.edl"), folder.file("list.csv"))
        let harness = try Harness(launch: "shotdetect ! shotlog \(rate) format=edl location=\(edl) ! shotlog location=\(csv)")
        harness.setVideo(try Video("I420", 64, 36, rate: (0, 1)))
        for index in 0..<30 { harness.push(try video.picture(Pictures.dark(video)), at: frameTime(index), duration: .some(nil)) }
        harness.flush()
        harness.setSegment(makeSegment())
        harness.push(try video.picture(Pictures.dark(video)), at: 0, duration: .some(nil))
        harness.end()
        #expect(harness.bus.warnings.count == warnings && harness.bus.warnings.allSatisfy { $0.contains("frame-rate") })
        #expect(eventually { text(of: edl).contains(rate == "frame-rate=29.97" ? "FCM: DROP FRAME" : "FCM: NON-DROP FRAME") })
        #expect(eventually { lines(of: csv).last?.hasPrefix("1,1,00:00:00.000,0.000,1,00:00:00.040,0.040,1,") == true })
      }
    }

    @Test(arguments: ["frame-rate=fast", "start-timecode=1h"]) func `what is no rate or timecode is an error`(_ property: String) throws {
      let pipeline = try Pipeline("videotestsrc ! shotdetect ! shotlog \(property) location=\(folder.file("list")) ! fakesink")
      #expect(!pipeline.setState(GST_STATE_PLAYING))
      #expect(pipeline.bus.errors.contains { $0.contains(property.prefix { $0 != "=" }) })
    }

    @Test func `the first frame's timecode moves the list, and start-timecode goes before it`() throws {
      for (property, start) in [("", "10:00:00:12"), ("start-timecode=01:00:00:00", "01:00:00:00")] {
        let edl = folder.file("list.edl")
        let harness = try Harness(launch: "shotdetect ! shotlog \(property) format=edl location=\(edl)")
        harness.setVideo(video)
        for index in 0..<5 as Range<UInt32> {
          let buffer = try video.picture(Pictures.dark(video))
          gst_buffer_add_video_time_code_meta_full(buffer, 25, 1, nil, GST_VIDEO_TIME_CODE_FLAGS_NONE, 10, 0, 0, 12 + index, 0)
          harness.push(buffer, at: frameTime(Int(index)))
        }
        harness.end()
        #expect(eventually { events(edl).first?.hasPrefix(start + " ") == true })
      }
    }
  }
}
