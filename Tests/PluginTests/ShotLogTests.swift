import CGStreamer
import Testing

extension Shots {
  @Suite("Shot lists") struct ShotLogTests {
    private let folder: Folder
    private let video: Video

    init() throws {
      folder = try Folder()
      video = try Video("I420", 64, 36)
    }

    /// Thirty frames with cuts at 10 and 20 through the elements; returns what was on the bus.
    @discardableResult
    private func play(_ description: String, count: Int = 30, isEnded: Bool = true) throws -> Bus {
      let harness = try Harness(launch: description)
      harness.setVideo(video)
      for index in 0..<count {
        let isBright = (10..<20).contains(index)
        guard harness.push(try video.picture(isBright ? Pictures.bright(video) : Pictures.dark(video)), at: frameTime(index)) == GST_FLOW_OK
        else { break }
      }
      if isEnded { harness.end() }
      return harness.bus
    }

    static let contents: [(format: String, parts: [String])] = [
      ("csv", ["\n1,1,00:00:00.000,", "\n2,11,00:00:00.400,0.400,20,00:00:00.800,", "\n3,21,00:00:00.800,0.800,30,00:00:01.200,"]),
      ("jsonl", ["\"shot\":2,\"frame\":10,\"pts\":400000000,", "\"shot\":3,\"frame\":20,\"pts\":800000000,"]),
      ("edl", ["TITLE: Bunny", "\n002 ", "00:00:00:10 00:00:00:20", "\n003 "]),
      ("otio", ["\"name\":\"Bunny\"", "\"name\":\"Shot 2\"", "\"name\":\"Shot 3\"", "\"rate\":25.0,\"value\":20.0"]),
      ("fcpxml", ["frameDuration=\"1/25s\"", "width=\"64\" height=\"36\"", "offset=\"10/25s\"", "offset=\"20/25s\""]),
      ("webvtt", ["WEBVTT", "00:00:00.000 --> 00:00:00.400", "00:00:00.400 --> 00:00:00.800", "00:00:00.800 --> 00:00:01.200"]),
      ("qp", ["0 I -1\n10 I -1\n20 I -1\n"]),
    ]

    @Test(arguments: contents) func `every format lists the boundaries`(_ expected: (format: String, parts: [String])) throws {
      let file = folder.file("list")
      let bus = try play("shotdetect min-shot-duration=0 ! shotlog title=Bunny format=\(expected.format) location=\(file)")
      #expect(bus.cuts == [10, 20])
      #expect(bus.errors == [] && bus.warnings == [])
      let text = text(of: file)
      for part in expected.parts { #expect(text.contains(part), "\(part) in \(text)") }
    }

    @Test func `a finished CSV begins with PySceneDetect's timecode list`() throws {
      let file = folder.file("list.csv")
      try play("shotdetect min-shot-duration=0 ! shotlog location=\(file)")
      let lines = lines(of: file)
      #expect(lines.count == 5)
      #expect(lines.first == "Timecode List:,00:00:00.400,00:00:00.800")
      #expect(
        lines.dropFirst().first
          == "Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,End Time (seconds),Length (frames),Length (timecode),Length (seconds)"
      )
    }

    @Test func `a late boundary is listed where it lies`() throws {
      let file = folder.file("list.qp")
      try play("shotdetect detector=adaptive min-shot-duration=0 ! shotlog format=qp location=\(file)")
      #expect(text(of: file) == "0 I -1\n10 I -1\n20 I -1\n")
    }

    @Test func `a boundary that is known only at the end is listed`() throws {
      let ended = folder.file("dark.qp")
      let harness = try Harness(launch: "shotdetect detector=threshold min-shot-duration=0 ! shotlog format=qp location=\(ended)")
      harness.setVideo(video)
      for index in 0..<12 { harness.push(try video.picture(index < 6 ? Pictures.bright(video) : Pictures.black), at: frameTime(index)) }
      harness.end()
      #expect(harness.bus.cuts == [6])
      #expect(eventually { text(of: ended) == "0 I -1\n6 I -1\n" })
    }

    @Test func `each shot is on disk before the stream ends`() throws {
      let file = folder.file("list.csv")
      let harness = try Harness(launch: "shotdetect min-shot-duration=0 ! shotlog location=\(file)")
      harness.setVideo(video)
      for index in 0..<15 {
        harness.push(try video.picture(index < 10 ? Pictures.dark(video) : Pictures.bright(video)), at: frameTime(index))
      }
      #expect(eventually { lines(of: file).contains { $0.hasPrefix("1,1,00:00:00.000,0.000,10,") } })
      #expect(!harness.bus.all.contains { $0.kind == .endOfStream })
    }

    @Test func `what was not ended is whole after the stop`() throws {
      let file = folder.file("list.csv")
      try play("shotdetect min-shot-duration=0 ! shotlog location=\(file)", isEnded: false)
      #expect(lines(of: file).last?.hasPrefix("3,21,00:00:00.800,0.800,30,") == true)
    }

    @Test func `statistics-location alone writes each frame's scores`() throws {
      let columns = "content_val,delta_edges,delta_hue,delta_lum,delta_sat"
      for (detector, head) in [
        ("content", columns), ("adaptive", "adaptive_ratio (w=2),\(columns)"), ("threshold", "average_rgb"),
        ("histogram", "hist_diff [bins=128]"), ("hash", "hash_dist [size=8 lowpass=2]"),
      ] {
        let file = folder.file("\(detector).csv")
        let bus = try play("shotdetect detector=\(detector) min-shot-duration=0 ! shotlog statistics-location=\(file)")
        #expect(bus.errors == [] && bus.warnings == [])
        let lines = lines(of: file)
        #expect(lines.first == "Frame Number,Timecode,\(head)")
        // Where there is a frame to compare with.
        let first = detector == "threshold" ? 1 : 2
        #expect(lines.dropFirst().map { $0.prefix { $0 != "," } } == (first...30).map { "\($0)" }, "\(detector)")
        #expect(lines.last?.contains("00:00:01.160,") == true)
      }
    }

    @Test func `the scores that are written are those that decide`() throws {
      let file = folder.file("scores.csv")
      let bus = try play("shotdetect min-shot-duration=0 ! shotlog statistics-location=\(file)")
      let written = lines(of: file).dropFirst().map { $0.split(separator: ",") }
      for boundary in bus.boundaries {
        let row = written.first { $0[0] == "\((boundary.number("frame") ?? 0) + 1)" }
        #expect(row.flatMap { Double($0[2]) } == boundary.double("score"))
      }
      #expect(written.filter { (Double($0[2]) ?? 0) >= 27 }.map { String($0[0]) } == ["11", "21"])
    }

    @Test(arguments: ["location", "statistics-location"]) func `a path that cannot be written is an error that names it`(_ property: String)
      throws
    {
      let path = folder.file("nowhere/list.csv")
      let harness = try Harness(launch: "shotdetect min-shot-duration=0 ! shotlog \(property)=\(path)")
      harness.setVideo(video)
      for index in 0..<15 {
        harness.push(try video.picture(index < 10 ? Pictures.dark(video) : Pictures.bright(video)), at: frameTime(index))
      }
      #expect(eventually { harness.bus.errors.contains { $0.contains(path) } })
      #expect(harness.bus.errors.count == 1)
    }

    @Test(arguments: ["location", "statistics-location"]) func `a full disk is an error that names the file`(_ property: String) throws {
      let harness = try Harness(launch: "shotdetect min-shot-duration=0 ! shotlog \(property)=/dev/full")
      harness.setVideo(video)
      for index in 0..<15 {
        harness.push(try video.picture(index < 10 ? Pictures.dark(video) : Pictures.bright(video)), at: frameTime(index))
      }
      harness.end()
      #expect(eventually { harness.bus.errors.contains { $0.contains("/dev/full") && $0.contains("No space left") } })
      #expect(harness.bus.errors.count == 1)
    }

    @Test func `nothing to write is an error`() throws {
      let pipeline = try Pipeline("videotestsrc ! shotdetect ! shotlog ! fakesink")
      #expect(!pipeline.setState(GST_STATE_PLAYING))
      #expect(pipeline.bus.errors.contains { $0.contains("location") })
    }

    @Test(
      arguments: ["videotestsrc num-buffers=5", "filesrc location=\(Excerpt.film) ! decodebin ! identity eos-after=5"],
      ["", "shotdetect attach-meta=false !"])
    func `without a shotdetect upstream a warning names it`(_ source: String, _ before: String) throws {
      let pipeline = try Pipeline("\(source) ! \(before) shotlog location=\(folder.file("list")) ! fakesink")
      try pipeline.run()
      #expect(pipeline.bus.warnings.count == 1)
      #expect(pipeline.bus.warnings.first?.contains("shotdetect") == true)
      #expect(pipeline.bus.errors == [])
    }

    @Test func `a second life writes the file anew`() throws {
      let file = folder.file("list.csv")
      let pipeline = try Pipeline(
        "videotestsrc name=s num-buffers=12 ! video/x-raw,width=64,height=36,framerate=25/1 ! shotdetect ! shotlog location=\(file) ! fakesink"
      )
      for _ in 0..<3 {
        pipeline.bus.clear()
        pipeline.setState(GST_STATE_PLAYING)
        #expect(eventually { !pipeline.bus.all(.endOfStream).isEmpty })
        pipeline.setState(GST_STATE_READY)
        #expect(lines(of: file).count == 3)
        #expect(lines(of: file).last?.hasPrefix("1,1,00:00:00.000,0.000,12,") == true)
      }
    }
  }
}
