import CGStreamer
import Testing

extension Shots {
  /// What the detectors with a network find in a film, and that nothing but the film has a say in it.
  @Suite("Network on film") struct NetworkFilmTests {
    @Test(arguments: Formats.networks) func `every transition that a person saw is found, of its kind and where it is`(_ detector: String)
      throws
    {
      let pipeline = try Pipeline(
        "filesrc location=\(Excerpt.film) ! decodebin ! shotdetect detector=\(detector) min-shot-duration=0 ! fakesink sync=false")
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      func frame(_ time: UInt64) -> Double { Double(time) * 24 / 1e9 }
      var left = pipeline.bus.found
      #expect(left.map(\.shot) == left.indices.map { UInt64($0 + 2) })
      for label in Excerpt.labels where label.kind == "cut" {
        let found = left.first { $0.frame + 1 >= label.start && $0.frame <= label.start + 1 }
        #expect(found?.kind == "cut", "cut at \(label.start)")
        guard let found else { continue }
        #expect(abs(frame(found.end) - Double(found.frame)) < 0.01)
        #expect(abs(frame(found.start) - Double(found.frame - 1)) < 0.01)
        left.removeAll { $0 == found }
      }
      // Both halves of the fade are one; so is what lies between them.
      for (kind, first, last) in [("fade", 775.0, 823.0), ("dissolve", 905.0, 914.0)] {
        let inside = left.filter { Double($0.frame) >= first - 2 && Double($0.frame) <= last + 2 }
        #expect(inside.count == 1, "\(kind)")
        #expect(inside.first?.kind == kind)
        guard let found = inside.first else { continue }
        #expect(abs(frame(found.start) - (first - 1)) <= 6, "\(kind) begins")
        #expect(abs(frame(found.end) - (last + 1)) <= 6, "\(kind) ends")
        left.removeAll { $0 == found }
      }
      #expect(left == [])
    }

    struct Way: Sendable, CustomTestStringConvertible {
      var name: String
      var settings: [String: String] = [:]
      var isLive = false
      /// Microseconds before each frame.
      var pause: UInt = 0
      var testDescription: String { name }
    }

    static let ways = [
      Way(name: "align", settings: ["align": "true"]), Way(name: "live", isLive: true),
      Way(name: "live and align", settings: ["align": "true"], isLive: true),
      Way(name: "one thread", settings: ["threads": "1"]), Way(name: "three threads", settings: ["threads": "3"]),
      Way(name: "four threads", settings: ["threads": "4"]), Way(name: "slow frames", pause: 4000),
      Way(name: "slow live frames, align", settings: ["align": "true", "threads": "1"], isLive: true, pause: 3000),
      // Slow enough for float32 on OpenBLAS.
      Way(name: "may skip but need not", settings: ["when-late": "skip"], pause: 20_000),
    ]

    @Test(arguments: ways) func `neither align nor liveness, threads or pace changes what is found`(_ way: Way) throws {
      let film = try SmallFilm.shared.get()
      let numbers = 700..<950
      let usual = try Self.usual.get()
      #expect(usual.count >= 3)
      let harness = try Harness("shotdetect", ["detector": "fused", "min-shot-duration": "0"])
      try harness.restart(way.settings)
      harness.setUpstreamLatency(0, noTime, isLive: way.isLive)
      try harness.play(film, numbers) { _ in if way.pause > 0 { g_usleep(gulong(way.pause)) } }
      harness.end()
      #expect(harness.bus.found == usual)
      #expect(harness.number("frames-skipped") == 0)
      #expect(harness.out.frames.count == numbers.count)
    }

    private static let usual = Result {
      let harness = try Harness("shotdetect", ["detector": "fused", "min-shot-duration": "0"])
      harness.setUpstreamLatency(0, noTime, isLive: false)
      try harness.play(try SmallFilm.shared.get(), 700..<950)
      harness.end()
      return harness.bus.found
    }

    @Test(arguments: Formats.networks) func `windowed finds what streaming finds, within a frame`(_ detector: String) throws {
      let film = try SmallFilm.shared.get()
      var results: [[Found]] = []
      for windowing in ["streaming", "windowed"] {
        let harness = try Harness("shotdetect", ["detector": detector, "min-shot-duration": "0", "windowing": windowing, "align": "true"])
        harness.setUpstreamLatency(0, noTime, isLive: false)
        try harness.play(film)
        harness.end()
        results.append(harness.bus.found)
      }
      #expect(results[0].count >= 4)
      #expect(results[0].map(\.kind) == results[1].map(\.kind))
      for (one, other) in zip(results[0], results[1]) { #expect(one.frame + 1 >= other.frame && other.frame + 1 >= one.frame) }
    }

    @Test(arguments: ["float32", "bfloat16", "int8"]) func `every precision finds the cuts`(_ precision: String) throws {
      let harness = try Harness("shotdetect", ["detector": "transnet", "min-shot-duration": "0", "precision": precision])
      try harness.play(try SmallFilm.shared.get(), 1000..<1100)
      harness.end()
      #expect(harness.bus.errors == [])
      #expect(harness.bus.found.map(\.frame) == [34, 71])
      #expect(harness.bus.found.map(\.kind) == ["cut", "cut"])
    }

    @Test(arguments: Formats.networks) func `statistics have a column for each cue and a row for each frame`(_ detector: String) throws {
      let folder = try Folder()
      let file = folder.file("scores.csv")
      do {
        let harness = try Harness(launch: "shotdetect detector=\(detector) ! shotlog statistics-location=\(file)")
        try harness.play(try SmallFilm.shared.get(), 1020..<1100)
        harness.end()
        #expect(harness.bus.errors == [] && harness.bus.warnings == [])
        #expect(harness.bus.cuts == [14, 51])
      }
      let rows = lines(of: file).map { $0.split(separator: ",").map { String($0) } }
      let header = try #require(rows.first)
      #expect(Set(header).count == header.count)
      for cue in [
        "Frame Number", "Timecode", "one_hot", "many_hot", "hue", "saturation", "value", "histogram_1", "mixture_share_8", "front_right",
        "shift", "boundary", "inside",
      ] {
        #expect(header.contains(cue), "\(cue)")
      }
      #expect(rows.dropFirst().map { $0[0] } == (1...80).map { "\($0)" })
      #expect(rows.allSatisfy { $0.count == header.count })
      #expect(rows.dropFirst().allSatisfy { row in row.dropFirst(2).allSatisfy { Double($0)?.isFinite == true } })
      // The network is surest at the last frame of a shot, the combiner at the first of the next.
      for (column, expected) in [("one_hot", [15, 52]), ("boundary", [15, 52])] {
        let at = try #require(header.firstIndex(of: column))
        let sure = rows.dropFirst().filter { Double($0[at]) ?? 0 > 0.4 }.compactMap { Int($0[0]) }
        #expect(sure == expected, "\(column)")
      }
    }
  }
}

extension Harness {
  /// Stops the element, changes what may be changed in READY, and starts it.
  func restart(_ settings: [String: String]) throws {
    gst_element_set_state(element, GST_STATE_READY)
    for (name, value) in settings { set(name, value) }
    guard gst_element_set_state(element, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE else { throw Failure("no start: \(bus.errors)") }
  }
}
