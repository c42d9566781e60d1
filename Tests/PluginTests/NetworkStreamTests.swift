import CGStreamer
import Glibc
import Testing

extension Shots {
  /// Streams that are short, dull, odd or interrupted, through the detectors with a network.
  @Suite("Network and streams") struct NetworkStreamTests {
    private static let aligns = ["false", "true"]

    @Test(arguments: [0, 1, 2, 15, 17, 30, 51, 52, 74]) func `a stream of any length ends with all its frames`(_ count: Int) throws {
      let film = try SmallFilm.shared.get()
      for (detector, align, windowing) in [
        ("transnet", "true", "streaming"), ("fused", "false", "streaming"), ("fused", "true", "windowed"),
      ] {
        let harness = try Harness(
          "shotdetect", ["detector": detector, "align": align, "windowing": windowing, "post-toc": "true", "min-shot-duration": "0"])
        try harness.play(film, 1020..<1020 + count)
        harness.end()
        #expect(harness.bus.errors == [])
        #expect(harness.out.frames.map(\.pts) == (0..<count).map { frameTime($0, rate: (24, 1)) })
        #expect(harness.out.story.last == "eos")
        #expect(harness.bus.cuts == [14, 51].filter { $0 < count }, "\(detector) \(windowing)")
      }
    }

    /// Before the cut at 190 the camera speeds up: of the few frames after the beginning the combiner alone makes a wipe, or nothing.
    @Test(arguments: [1, 2, 3, 5]) func `a cut close to either end of a stream is found`(_ frames: Int) throws {
      let film = try SmallFilm.shared.get()
      for cut in [131, 190, 564, 1071, 1393] {
        for numbers in [cut - frames..<cut + 40, cut - 40..<cut + frames] {
          let harness = try Harness("shotdetect", ["detector": "fused"])
          try harness.play(film, numbers)
          harness.end()
          #expect(harness.bus.cuts.contains(UInt64(cut - numbers.lowerBound)), "\(cut) in \(numbers): \(harness.bus.found)")
        }
      }
    }

    @Test func `a second end finds nothing more`() throws {
      let harness = try Harness("shotdetect", ["detector": "fused", "min-shot-duration": "0"])
      try harness.play(try SmallFilm.shared.get(), 1020..<1060)
      harness.end()
      let found = harness.bus.found
      #expect(found.map(\.frame) == [14])
      harness.end()
      #expect(harness.bus.found == found)
      #expect(harness.bus.errors == [])
    }

    @Test(arguments: Formats.networks) func `frozen and black pictures have no boundary`(_ detector: String) throws {
      let film = try SmallFilm.shared.get()
      for isBlack in [true, false] {
        let harness = try Harness("shotdetect", ["detector": detector, "align": "true", "min-shot-duration": "0"])
        harness.setVideo(film.video)
        for index in 0..<150 {
          harness.push(isBlack ? try film.video.flat(0, 0, 0) : try film.frame(1000), at: frameTime(index, rate: (24, 1)))
        }
        harness.end()
        #expect(harness.bus.cuts == [])
        #expect(harness.bus.errors == [])
        #expect(harness.out.frameCount == 150)
      }
    }

    @Test(
      arguments: [
        ("I420", 1, 1), ("GRAY8", 1, 1), ("RGB", 17, 13), ("I420", 17, 13), ("NV12", 8192, 2), ("I420", 2, 8192), ("BGRx", 3, 200),
        ("v210", 17, 13), ("Y444_16LE", 1, 2), ("v210", 8192, 2),
        ("I420_10LE", 8192, 2), ("GRAY16_LE", 47, 26), ("ARGB64", 49, 28), ("YVYU", 320, 180), ("NV12_64Z32", 320, 180),
      ] as [(String, Int, Int)])
    func `a picture of any size and format is looked at`(_ format: String, _ width: Int, _ height: Int) throws {
      let video = try Video(format, width, height)
      let harness = try Harness("shotdetect", ["detector": "transnet", "align": "true", "min-shot-duration": "0"])
      harness.setVideo(video)
      let (dark, bright) = (try video.flat(20, 30, 60), try video.flat(240, 200, 90))
      defer {
        gst_buffer_unref(dark)
        gst_buffer_unref(bright)
      }
      for index in 0..<60 {
        guard let copy = gst_buffer_copy_deep(index < 30 ? dark : bright) else { throw Failure("no copy") }
        #expect(harness.push(copy, at: frameTime(index)) == GST_FLOW_OK)
      }
      harness.end()
      #expect(harness.bus.errors == [])
      #expect(harness.out.frameCount == 60)
      #expect(harness.bus.cuts == [30])
    }

    @Test(arguments: aligns) func `a flush in the middle starts over and counts on`(_ align: String) throws {
      let film = try SmallFilm.shared.get()
      let harness = try Harness("shotdetect", ["detector": "fused", "align": align, "min-shot-duration": "0"])
      try harness.play(film, 1000..<1060)
      harness.flush()
      harness.setSegment(makeSegment())
      let before = harness.out.frameCount
      #expect(align == "true" ? before < 60 : before == 60)
      harness.bus.clear()
      try harness.play(film, 1060..<1120)
      harness.end()
      #expect(harness.bus.errors == [])
      #expect(harness.bus.cuts == [71])
      #expect(harness.bus.boundaries.first?.number("pts") == frameTime(11, rate: (24, 1)))
      #expect(harness.out.frames.dropFirst(before).map(\.pts) == (0..<60).map { frameTime($0, rate: (24, 1)) })
      #expect(harness.number("frames") == 120)
      #expect(harness.out.marked == (align == "true" ? [before + 11] : []))
    }

    @Test(arguments: aligns) func `a boundary before a jump in time is told, and the jump is none`(_ align: String) throws {
      let film = try SmallFilm.shared.get()
      let harness = try Harness("shotdetect", ["detector": "fused", "align": align, "min-shot-duration": "0"])
      try harness.play(film, 1000..<1050)
      for (index, number) in (1100..<1150).enumerated() {
        harness.push(try film.frame(number), at: 100 * second + frameTime(index, rate: (24, 1)), discontinuity: index == 0)
      }
      harness.end()
      #expect(harness.bus.cuts == [34])
      #expect(harness.out.frameCount == 100)
      #expect(harness.out.marked == (align == "true" ? [34] : [50]))
    }

    @Test(arguments: aligns) func `frames across new caps are compared`(_ align: String) throws {
      let film = try SmallFilm.shared.get()
      let other = try Video("NV12", 320, 180, rate: (24, 1))
      let harness = try Harness("shotdetect", ["detector": "fused", "align": align, "min-shot-duration": "0"])
      try harness.play(film, 1000..<1050)
      #expect(harness.setVideo(other))
      if align == "true" { #expect(harness.out.frameCount < 50) }
      let picture = try other.picture { x, y in (UInt8(x * 255 / 320), UInt8(y), 90) }
      let next = try other.picture { x, y in (10, UInt8(x / 2), UInt8(255 - y)) }
      defer {
        gst_buffer_unref(picture)
        gst_buffer_unref(next)
      }
      for index in 0..<60 {
        guard let copy = gst_buffer_copy_deep(index < 30 ? picture : next) else { throw Failure("no copy") }
        #expect(harness.push(copy, at: frameTime(50 + index, rate: (24, 1))) == GST_FLOW_OK)
      }
      harness.end()
      #expect(harness.bus.errors == [])
      #expect(harness.bus.cuts == [34, 50, 80])
      #expect(harness.bus.boundaries.map { $0.number("shot") } == [2, 3, 4])
      #expect(harness.out.frameCount == 110)
      if align == "true" { #expect(harness.out.marked == [34, 50, 80]) }
    }

    @Test func `frames that were skipped stay counted when caps change`() throws {
      let film = try SmallFilm.shared.get()
      let harness = try Harness(
        "shotdetect", ["detector": "transnet", "when-late": "skip", "threads": "1", "precision": "float32", "look-ahead": "8"])
      try harness.play(film, 700..<900)
      let skipped = harness.number("frames-skipped")
      #expect(skipped > 0)
      let other = try Video("NV12", 160, 90, rate: (24, 1))
      harness.setVideo(other)
      harness.push(try other.flat(9, 9, 9), at: frameTime(200, rate: (24, 1)))
      #expect(harness.number("frames-skipped") >= skipped)
      #expect(harness.bus.warnings.count == 1)
    }

    @Test(arguments: aligns) func `the end of a segment that was sought decides everything, and the next begins anew`(_ align: String)
      throws
    {
      let film = try SmallFilm.shared.get()
      let harness = try Harness("shotdetect", ["detector": "transnet", "align": align, "min-shot-duration": "0"])
      try harness.play(film, 1000..<1050)
      harness.push(gst_event_new_segment_done(GST_FORMAT_TIME, gint64(frameTime(50, rate: (24, 1)))))
      #expect(harness.bus.cuts == [34])
      #expect(harness.out.frameCount == 50)
      harness.setSegment(makeSegment(base: frameTime(50, rate: (24, 1))))
      try harness.play(film, 1050..<1100)
      harness.end()
      #expect(harness.bus.cuts == [34, 71])
      #expect(harness.bus.errors == [])
    }

    @Test func `threshold and shortest shot may change while it plays`() throws {
      let film = try SmallFilm.shared.get()
      for detector in Formats.networks {
        let harness = try Harness("shotdetect", ["detector": detector, "align": "true", "min-shot-duration": "0"])
        harness.setUpstreamLatency(0, 0)
        try harness.play(film, 1000..<1360) { index in
          // Of the cuts 34, 71, 246, 282 and 334: nothing is above 1, and 246 to 282 are 1.5 s.
          if index == 160 { harness.set("threshold", "1.5") }
          if index == 230 { harness.set("threshold", "-1") }
          if index == 240 { harness.set("min-shot-duration", "\(2 * second)") }
        }
        harness.end()
        #expect(harness.bus.cuts == [34, 71, 246, 334], "\(detector)")
        #expect(harness.out.marked == harness.bus.cuts.map { Int($0) })
      }
    }

    @Test(arguments: aligns) func `what was played before READY is forgotten`(_ align: String) throws {
      let film = try SmallFilm.shared.get()
      let harness = try Harness("shotdetect", ["detector": "fused", "align": align, "min-shot-duration": "0"])
      var all: [[Found]] = []
      for life in 0..<3 {
        harness.setVideo(film.video, makeSegment())
        // The first life ends in the midst of the stream.
        try harness.play(film, 1000..<(life == 0 ? 1050 : 1100))
        if life > 0 { harness.end() }
        all.append(harness.bus.found)
        harness.bus.clear()
        try harness.restart([:])
        #expect(harness.number("frames") == 0 && harness.number("shots") == 0)
      }
      #expect(all[1].map(\.frame) == [34, 71])
      #expect(all[1] == all[2])
    }

    @Test func `a seek that flushes finds what lies behind it`() throws {
      let pipeline = try Pipeline(
        "filesrc location=\(Excerpt.film) ! decodebin ! videoscale ! video/x-raw,width=160 ! shotdetect name=d detector=fused align=true min-shot-duration=0 ! fakesink sync=false"
      )
      pipeline.setState(GST_STATE_PAUSED)
      let flags = GstSeekFlags(rawValue: GST_SEEK_FLAG_FLUSH.rawValue | GST_SEEK_FLAG_ACCURATE.rawValue)
      #expect(gst_element_seek_simple(pipeline.gst, GST_FORMAT_TIME, flags, gint64(50 * second)) != 0)
      pipeline.bus.clear()
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      let frames = pipeline.bus.boundaries.compactMap { $0.number("stream-time") }.map { Int((Double($0) * 24 / 1e9).rounded()) }
      #expect(frames == [1246, 1282, 1334, 1393])
    }

    @Test func `many lives leave no thread, no mapping and no memory behind`() throws {
      let film = try SmallFilm.shared.get()
      // Threads are called as the one that made them.
      let name = text(of: "/proc/thread-self/comm").utf8
      try write("shots-lives".utf8, to: "/proc/thread-self/comm")
      defer { try? write(name, to: "/proc/thread-self/comm") }
      func live() throws {
        let harness = try Harness("shotdetect", ["detector": "fused", "align": "true", "threads": "4"])
        try harness.play(film, 1030..<1036)
        #expect(threads(named: "shots-lives") >= 4)
        // Every way to go: at the end of the stream, in its midst, over READY.
        lives += 1
        if lives % 3 == 0 { harness.end() }
        if lives % 3 == 1 { try harness.restart([:]) }
      }
      var lives = 0
      for _ in 0..<3 { try live() }
      let memory = residentMegabytes
      for _ in 0..<9 { try live() }
      #expect(threads(named: "shots-lives") <= 1)
      #expect(!text(of: "/proc/self/maps").contains(".safetensors"))
      // A copy of the weights alone has 30 MB.
      #expect(residentMegabytes < memory + 120)
    }
  }
}
