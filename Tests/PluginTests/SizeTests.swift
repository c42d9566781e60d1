import CGStreamer
import Testing

extension Shots {
  /// Streams whose pictures change in size, format or shape (adaptive streams, advertisements), and slides.
  @Suite("Sizes and slides") struct SizeTests {
    private static let detectors = ["content", "adaptive", "histogram", "hash", "transnet", "fused"]

    /// Frames of the film up to `change`, then from there in another format.
    private func play(_ harness: Harness, _ numbers: Range<Int>, change: Int, _ next: Video) throws {
      let film = try SmallFilm.shared.get()
      for (index, number) in numbers.enumerated() {
        if index == 0 { harness.setVideo(film.video) }
        if number == change { #expect(harness.setVideo(next)) }
        var frame = try film.frame(number)
        if number >= change {
          let small = frame
          defer { gst_buffer_unref(small) }
          frame = try next.convert(small, from: film.video)
        }
        #expect(harness.push(frame, at: frameTime(index, rate: (24, 1))) == GST_FLOW_OK)
      }
      harness.end()
      #expect(harness.bus.errors == [])
      #expect(harness.out.frameCount == numbers.count)
    }

    private static let formats = [
      ("I420", 320, 180), ("NV12", 160, 90), ("NV12", 640, 360), ("I420", 80, 46), ("BGRx", 120, 90), ("v210", 240, 136),
    ]

    @Test(arguments: detectors, ["false", "true"])
    func `a cut on a change of size is found, and the change itself is none`(_ detector: String, _ align: String) throws {
      for (format, width, height) in Self.formats {
        let next = try Video(format, width, height, rate: (24, 1))
        for (numbers, change, cuts) in [(1004..<1064, 1034, [30]), (1036..<1066, 1051, [])] as [(Range<Int>, Int, [UInt64])] {
          let harness = try Harness("shotdetect", ["detector": detector, "align": align, "min-shot-duration": "0"])
          try play(harness, numbers, change: change, next)
          #expect(harness.bus.cuts == cuts, "\(format) \(width)×\(height)")
          if align == "true" { #expect(harness.out.marked == cuts.map(Int.init)) }
        }
      }
    }

    @Test func `new caps keep their place among buffers that are held`() throws {
      let harness = try Harness("shotdetect", ["detector": "fused", "align": "true"])
      try play(harness, 1036..<1056, change: 1046, try Video("NV12", 320, 180, rate: (24, 1)))
      let story = harness.out.story
      let first = try #require(story.firstIndex(of: "0"))
      #expect(story[first...].joined(separator: " ") == "0 1 2 3 4 5 6 7 8 9 caps 10 11 12 13 14 15 16 17 18 19 eos")
    }

    @Test func `a fade goes on in another size`() throws {
      // Dark from frame 784 to 805 of the film.
      let harness = try Harness("shotdetect", ["detector": "threshold", "min-shot-duration": "0"])
      try play(harness, 760..<840, change: 795, try Video("NV12", 320, 180, rate: (24, 1)))
      #expect(harness.bus.boundaries.map { $0.text("kind") } == ["fade"])
    }

    @Test(arguments: [(1, 1), (1, 5), (2, 1)] as [(Int32, Int32)]) func `each slide is a shot`(_ rate: (Int32, Int32)) throws {
      let film = try SmallFilm.shared.get()
      let numbers = (0..<20).map { [730, 1000, 1050, 1100, 1300][$0 % 5] + $0 }
      for hasTimes in [true, false] {
        let harness = try Harness("shotdetect", ["detector": "fused", "align": "true"])
        harness.setVideo(try Video("I420", 160, 90, rate: rate))
        for (index, number) in numbers.enumerated() {
          let time = hasTimes ? frameTime(index, rate: (Int(rate.0), Int(rate.1))) : nil
          #expect(harness.push(try film.frame(number), at: time, duration: hasTimes ? .none : .some(nil)) == GST_FLOW_OK)
        }
        harness.end()
        #expect(harness.bus.cuts == Array(1..<20))
        #expect(harness.out.marked == Array(1..<20))
        #expect(harness.bus.errors == [])
      }
    }

    @Test func `frames of no known rate and without times are not taken for slides`() throws {
      let film = try SmallFilm.shared.get()
      let harness = try Harness("shotdetect", ["detector": "fused"])
      harness.setVideo(try Video("I420", 160, 90, rate: (0, 1)))
      for number in 1020..<1060 { harness.push(try film.frame(number), at: nil, duration: .some(nil)) }
      harness.end()
      #expect(harness.bus.cuts == [14])
    }
  }
}
