import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// What becomes of the frames of marked transitions.
  @Suite("Defade") struct DefadeTests {
    private let video: Video

    init() throws { video = try Video("I420", 16, 16) }

    /// Pushes frames whose pictures all differ, with these marks, and returns the addresses of their memory.
    @discardableResult
    private func play(
      _ harness: Harness, _ numbers: Range<Int>, _ marks: [Mark] = [], before: (Int) -> Void = { _ in }
    ) throws -> [Int: UInt] {
      if harness.video == nil { harness.setVideo(video) }
      var memory: [Int: UInt] = [:]
      for number in numbers {
        before(number)
        let buffer = try video.noise(UInt8(number % 256))
        memory[number] = UInt(bitPattern: gst_buffer_peek_memory(buffer, 0))
        for mark in marks where mark.frame == number { mark.add(to: buffer) }
        #expect(harness.push(buffer, at: frameTime(number)) == GST_FLOW_OK)
      }
      return memory
    }

    private func times(_ numbers: some Sequence<Int>) -> [UInt64] { numbers.map { frameTime($0) } }

    // MARK: hold

    @Test func `hold keeps every frame's time and cuts hard in the middle`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      let memory = try play(harness, 0..<100, [Mark(frame: 45, start: 40, end: 50)])
      harness.end()
      let frames = harness.out.frames
      #expect(frames.map(\.pts) == times(0..<100))
      for (number, frame) in frames.enumerated() {
        let shown = (41..<45).contains(number) ? 40 : (45..<50).contains(number) ? 50 : number
        #expect(frame.memory == memory[shown], "frame \(number) shows \(shown)")
      }
      #expect(harness.number("transitions") == 1)
      #expect(harness.number("frames-replaced") == 9)
      #expect(harness.number("frames-removed") == 0)
    }

    @Test func `frames outside of transitions are the very buffers that came`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      harness.setVideo(video)
      var addresses: [UInt] = []
      for number in 0..<100 {
        let buffer = try video.noise(UInt8(number))
        addresses.append(UInt(bitPattern: buffer))
        harness.push(buffer, at: frameTime(number))
      }
      harness.end()
      #expect(harness.out.frames.map(\.address) == addresses)
      #expect(harness.out.frames.allSatisfy { $0.isWritable }, "nobody else holds them")
    }

    @Test func `frames that move up are the buffers that came, with other times`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      harness.setVideo(video)
      var addresses: [UInt] = []
      for number in 0..<100 {
        let buffer = try video.noise(UInt8(number))
        addresses.append(UInt(bitPattern: buffer))
        if number == 45 { Mark(frame: 45, start: 40, end: 50).add(to: buffer) }
        harness.push(buffer, at: frameTime(number))
      }
      harness.end()
      #expect(harness.out.frames.map(\.address) == (Array(0...40) + Array(50..<100)).map { addresses[$0] })
      #expect(harness.out.frames.allSatisfy { $0.isWritable })
    }

    @Test func `hold marks the new cut where it lies, with its own times`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      try play(harness, 0..<100, [Mark(frame: 47, start: 40, end: 50, color: "black")])
      harness.end()
      #expect(harness.out.marked == [45])
      let cut = try #require(harness.out.frames[45].boundaries.first)
      #expect(cut["kind"] == .string("cut"))
      #expect(cut["shot"] == .uint64(2))
      #expect(cut["frame"] == .uint64(45))
      for field in ["pts", "running-time", "stream-time", "transition-end"] { #expect(cut[field] == .uint64(frameTime(45)), "\(field)") }
      #expect(cut["transition-start"] == .uint64(frameTime(44)))
      #expect(cut["detector"] == .string("fused"))
      #expect(cut["color"] == nil)
    }

    @Test func `a transition of one frame shows the new shot early`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      let memory = try play(harness, 0..<100, [Mark(kind: "dissolve", frame: 41, start: 40, end: 42)])
      harness.end()
      #expect(harness.out.frames[41].memory == memory[42])
      #expect(harness.out.marked == [41])
    }

    @Test func `key-frame requests move to the new cut`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      try play(harness, 0..<100, [Mark(frame: 47, start: 40, end: 50)]) { number in
        guard number == 47 || number == 60 else { return }
        harness.push(
          gst_video_event_new_downstream_force_key_unit(
            GstClockTime(frameTime(number)), GstClockTime(frameTime(number)), GstClockTime(frameTime(number)), 1, 0))
      }
      harness.end()
      let story = harness.out.story.filter { $0 == "GstForceKeyUnit" || ["44", "45", "46", "47", "59", "60"].contains($0) }
      #expect(story == ["44", "GstForceKeyUnit", "45", "46", "47", "59", "GstForceKeyUnit", "60"])
      #expect(harness.out.events.compactMap(\.keyUnit).map(\.runningTime) == [frameTime(45), frameTime(60)])
    }

    // MARK: cut

    @Test func `cut takes the frames out and closes the gap`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let memory = try play(
        harness, 0..<200,
        [
          Mark(frame: 45, start: 40, end: 50), Mark(kind: "wipe", frame: 124, start: 119, end: 130, shot: 3),
          Mark(kind: "cut", frame: 160, start: 159, end: 160, shot: 4),
        ])
      harness.end()
      let kept = Array(0...40) + Array(50...119) + Array(130..<200)
      #expect(harness.out.frames.map(\.memory) == kept.map { memory[$0] })
      #expect(harness.out.frames.map(\.pts) == times(0..<kept.count), "no gap, no jump")
      #expect(harness.number("frames-removed") == 19)
      #expect(harness.number("transitions") == 2)
      #expect(harness.out.marked == [41, 111, 141])
      let cuts = harness.out.frames.compactMap(\.boundaries.first)
      #expect(cuts.compactMap { $0.text("kind") } == ["cut", "cut", "cut"])
      #expect(cuts.compactMap { $0.number("frame") } == [41, 111, 141])
      #expect(cuts.compactMap { $0.number("shot") } == [2, 3, 4])
      for field in ["pts", "running-time", "stream-time", "transition-end"] {
        #expect(cuts.compactMap { $0.number(field) } == times([41, 111, 141]), "\(field)")
      }
      #expect(cuts.compactMap { $0.number("transition-start") } == times([40, 110, 140]))
    }

    @Test func `cut folds what was taken out into the base of a new segment`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      try play(harness, 0..<100, [Mark(frame: 45, start: 40, end: 50)])
      // Goes on at 10 s of the medium, at running time 4 s.
      harness.setSegment(makeSegment(start: 10 * second, base: 4 * second, time: 10 * second))
      #expect(harness.out.frameCount == 91, "nothing behind it decides on what was before")
      for number in 0..<10 { harness.push(try video.noise(UInt8(number)), at: 10 * second + frameTime(number)) }
      harness.end()
      #expect(harness.out.frames.map(\.pts) == times(0..<91) + (0..<10).map { 10 * second + frameTime($0) })
      let bases = harness.segments.map(\.base)
      #expect(bases.map { UInt64($0) } == [0, 4 * second - frameTime(9)])
    }

    @Test func `cut moves key-frame requests and gaps`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      try play(harness, 0..<100, [Mark(frame: 45, start: 40, end: 50)]) { number in
        if number == 70 {
          let time = GstClockTime(frameTime(70))
          harness.push(gst_video_event_new_downstream_force_key_unit(time, time, time, 1, 0))
        }
      }
      harness.push(gst_event_new_gap(GstClockTime(frameTime(100)), GstClockTime(frameTime(5))))
      harness.end()
      #expect(harness.out.events.compactMap(\.keyUnit).map(\.runningTime) == [frameTime(61)])
      #expect(harness.out.events.first { $0.name == "gap" }?.gap == frameTime(91))
    }

    // MARK: what is treated

    @Test func `kinds that are not asked for stay as they are, with their marks`() throws {
      let harness = try Harness("defade", ["margin": "0", "kinds": "fade+wipe"])
      let memory = try play(harness, 0..<100, [Mark(kind: "dissolve", frame: 45, start: 40, end: 50)])
      harness.end()
      #expect(harness.out.frames.map(\.memory) == (0..<100).map { memory[$0] })
      #expect(harness.out.marked == [45])
      #expect(harness.out.frames[45].boundaries.first?.text("kind") == "dissolve")
      #expect(harness.number("transitions") == 0)
    }

    @Test func `margin, two frames by default, widens transitions on both sides`() throws {
      let harness = try Harness("defade", ["mode": "cut"])
      let memory = try play(harness, 0..<100, [Mark(frame: 45, start: 40, end: 50)])
      harness.end()
      #expect(harness.out.frames.map(\.memory) == (Array(0...38) + Array(52..<100)).map { memory[$0] })
    }

    @Test func `transitions side by side share no frame`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      let memory = try play(
        harness, 0..<100, [Mark(frame: 45, start: 40, end: 50), Mark(kind: "wipe", frame: 53, start: 48, end: 58, shot: 3)])
      harness.end()
      #expect(harness.out.frames.map(\.pts) == times(0..<100))
      #expect(harness.out.frames[44].memory == memory[40])
      #expect(harness.out.frames[47].memory == memory[50])
      #expect(harness.out.frames[52].memory == memory[50])
      #expect(harness.out.frames[55].memory == memory[58])
      #expect(harness.out.marked == [45, 54])
    }

    @Test func `marks of a detector that is late by less than look-ahead work too`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      harness.setVideo(video)
      var memory: [UInt] = []
      for number in 0..<150 {
        let buffer = try video.noise(UInt8(number))
        memory.append(UInt(bitPattern: gst_buffer_peek_memory(buffer, 0)))
        if number == 80 { Mark(frame: 45, start: 40, end: 50).add(to: buffer) }
        harness.push(buffer, at: frameTime(number))
      }
      harness.end()
      #expect(harness.out.frames[43].memory == memory[40])
      #expect(harness.out.frames[48].memory == memory[50])
      #expect(harness.out.marked == [45])
      #expect(harness.bus.warnings.filter { $0.contains("too late") }.isEmpty)
    }

    @Test func `what is known too late is said, and the rest is treated`() throws {
      let harness = try Harness("defade", ["margin": "0", "look-ahead": "1000000000"])
      let memory = try play(harness, 0..<150, [Mark(frame: 80, start: 40, end: 90)])
      harness.end()
      #expect(harness.bus.warnings.contains { $0.contains("align=true") })
      #expect(harness.out.frames[70].memory == memory[90])
      #expect(harness.out.frames.map(\.pts) == times(0..<150))
    }

    @Test func `without a shotdetect upstream a warning says so`() throws {
      for (before, warnings) in [("", 1), ("! shotdetect", 0), ("! shotdetect attach-meta=false", 1)] {
        let pipeline = try Pipeline("videotestsrc num-buffers=3 \(before) ! defade ! fakesink")
        try pipeline.run()
        #expect(pipeline.bus.warnings.filter { $0.contains("shotdetect") }.count == warnings, "\(before)")
      }
    }

    // MARK: ends and beginnings

    @Test(arguments: ["hold", "cut"]) func `a fade-out that nothing follows`(_ mode: String) throws {
      let harness = try Harness("defade", ["margin": "0", "mode": mode])
      let memory = try play(harness, 0..<100, [Mark(frame: 99, start: 89, end: nil)])
      harness.end()
      if mode == "hold" {
        #expect(harness.out.frames.map(\.pts) == times(0..<100))
        #expect(harness.out.frames[90...].allSatisfy { $0.memory == memory[89] })
      } else {
        #expect(harness.out.frames.map(\.pts) == times(0..<90))
      }
      #expect(harness.out.marked.isEmpty)
      #expect(harness.out.events.last?.name == "eos")
    }

    @Test(arguments: ["hold", "cut"]) func `a stream that ends in the middle of a transition`(_ mode: String) throws {
      let harness = try Harness("defade", ["margin": "0", "mode": mode])
      let memory = try play(harness, 0..<95, [Mark(frame: 92, start: 85, end: 99)])
      harness.end()
      if mode == "hold" {
        #expect(harness.out.frames.map(\.pts) == times(0..<95))
        #expect(harness.out.frames[86...].allSatisfy { $0.memory == memory[85] }, "no new shot was seen")
      } else {
        #expect(harness.out.frames.map(\.pts) == times(0...85))
      }
      #expect(harness.out.events.last?.name == "eos")
    }

    @Test func `a boundary that comes as an event at the end is treated`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      let memory = try play(harness, 0..<60)
      let fields = try #require(gst_structure_new_empty("shot-boundary"))
      Mark(frame: 50, start: 40, end: 55).write(into: fields)
      harness.push(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, fields))
      harness.end()
      #expect(harness.out.frames[45].memory == memory[40])
      #expect(harness.out.frames[50].memory == memory[55])
      #expect(harness.out.marked == [48])
      #expect(!harness.out.story.contains("shot-boundary"))
    }

    @Test func `a flush drops what is held, and times begin anew`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      try play(harness, 0..<150, [Mark(frame: 45, start: 40, end: 50)])
      let before = harness.out.frameCount
      #expect(before == 76 - 9, "three seconds stay")
      harness.flush()
      harness.setSegment(makeSegment())
      try play(harness, 0..<100)
      harness.end()
      #expect(harness.out.frames.dropFirst(before).map(\.pts) == times(0..<100))
      #expect(harness.segments.map { UInt64($0.base) } == [0, 0])
    }

    @Test func `other caps let go what was before them`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      try play(harness, 0..<60, [Mark(frame: 55, start: 50, end: 62)])
      let wide = try Video("I420", 32, 16)
      harness.setVideo(wide)
      for number in 60..<100 { harness.push(try wide.noise(UInt8(number)), at: frameTime(number)) }
      harness.end()
      #expect(harness.out.frames.map(\.pts) == times(0..<100))
      let story = harness.out.story
      let at = try #require(story.lastIndex(of: "caps"))
      #expect(story[at - 1] == "59" && story[at + 1] == "60")
    }

    @Test func `serialized events keep their places`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      try play(harness, 0..<100, [Mark(frame: 45, start: 40, end: 50)]) { number in
        if number == 43 || number == 90 { harness.push(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("note"))) }
      }
      harness.end()
      let story = harness.out.story
      #expect(story.indices.filter { story[$0] == "note" }.map { story[$0 + 1] } == ["43", "90"])
    }

    @Test func `it starts again after a stop as if for the first time`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      try play(harness, 0..<100, [Mark(frame: 45, start: 40, end: 50)])
      gst_element_set_state(harness.element, GST_STATE_READY)
      #expect(harness.out.frameCount == 26)
      gst_element_set_state(harness.element, GST_STATE_PLAYING)
      #expect(harness.number("transitions") == 0)
      harness.out.clear()
      harness.push(gst_event_new_stream_start("again"))
      harness.push(gst_event_new_caps(video.makeCaps()))
      harness.setSegment(makeSegment())
      try play(harness, 0..<100)
      harness.end()
      #expect(harness.out.frames.map(\.pts) == times(0..<100))
    }

    // MARK: time

    @Test func `latency is look-ahead, and with cut what was taken out`() throws {
      for mode in ["hold", "cut"] {
        let harness = try Harness("defade", ["margin": "0", "mode": mode, "look-ahead": "2000000000"])
        harness.setUpstreamLatency(20 * millisecond, 70 * millisecond)
        try play(harness, 0..<30)
        #expect(try harness.latency().low == 2 * second + 20 * millisecond)
        #expect(try harness.latency().high == 2 * second + 70 * millisecond)
        try play(harness, 30..<150, [Mark(frame: 45, start: 40, end: 50)])
        let removed = mode == "cut" ? frameTime(9) : 0
        #expect(try harness.latency().low == 2 * second + 20 * millisecond + removed)
        #expect(harness.bus.all(.latency).count == (mode == "cut" ? 1 : 0))
      }
    }

    @Test func `frames leave as soon as look-ahead has come after them`() throws {
      let harness = try Harness("defade", ["margin": "0", "look-ahead": "1000000000"])
      try play(harness, 0..<25)
      #expect(harness.out.frameCount == 1)
      try play(harness, 25..<26)
      #expect(harness.out.frameCount == 2)
      // A gap is time that passes too.
      harness.push(gst_event_new_gap(GstClockTime(frameTime(26)), GstClockTime(frameTime(10))))
      #expect(harness.out.frameCount == 12)
    }

    @Test func `frames without times and outside of the segment pass`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      harness.setVideo(video, makeSegment(start: second))
      harness.push(try video.noise(1), at: 0)
      harness.push(try video.noise(2), at: nil)
      #expect(harness.out.frameCount == 2)
      try play(harness, 25..<50)
      harness.end()
      #expect(harness.out.frameCount == 27)
    }

    // MARK: pictures

    @Test func `every format and odd sizes`() throws {
      for format in Formats.all {
        for (width, height) in [(1, 1), (7, 5), (33, 18)] {
          let video = try Video(format, width, height)
          for mode in ["hold", "cut"] {
            let harness = try Harness("defade", ["margin": "0", "mode": mode, "look-ahead": "400000000"])
            harness.setVideo(video)
            for number in 0..<20 {
              let buffer = try video.noise(UInt8(number))
              if number == 9 { Mark(frame: 9, start: 7, end: 11).add(to: buffer) }
              #expect(harness.push(buffer, at: frameTime(number)) == GST_FLOW_OK, "\(format) \(width)×\(height)")
            }
            harness.end()
            #expect(harness.out.frameCount == (mode == "hold" ? 20 : 17), "\(format) \(width)×\(height)")
            #expect(harness.bus.errors.isEmpty)
          }
        }
      }
    }

    @Test func `a replaced frame has the layout of the picture that it shows, and its own facts`() throws {
      let harness = try Harness("defade", ["margin": "0"])
      harness.setVideo(video)
      let time = try #require(gst_video_time_code_new(25, 1, nil, GST_VIDEO_TIME_CODE_FLAGS_NONE, 1, 0, 1, 17, 0))
      defer { gst_video_time_code_free(time) }
      for number in 0..<100 {
        var buffer = try video.noise(UInt8(number))
        if number == 40 {
          let packed = buffer
          buffer = try video.padded(packed)
          gst_buffer_unref(packed)
        }
        if number == 42 { gst_buffer_add_video_time_code_meta(buffer, time) }
        if number == 45 { Mark(frame: 45, start: 40, end: 50).add(to: buffer) }
        harness.push(buffer, at: frameTime(number))
      }
      harness.end()
      var pulled: [UnsafeMutablePointer<GstBuffer>] = []
      while let buffer = gst_harness_try_pull(harness.gst) { pulled.append(buffer) }
      defer { for buffer in pulled { gst_buffer_unref(buffer) } }
      #expect(pulled.count == 100)
      let layout = try #require(gst_buffer_get_video_meta(pulled[42]))
      let original = try #require(gst_buffer_get_video_meta(pulled[40]))
      #expect(four(layout.pointee.stride) == four(original.pointee.stride) && four(layout.pointee.offset) == four(original.pointee.offset))
      #expect(gst_buffer_get_meta(pulled[42], gst_video_time_code_meta_api_get_type()) != nil)
      #expect(gst_buffer_get_meta(pulled[41], gst_video_time_code_meta_api_get_type()) == nil)
      #expect(gst_buffer_get_video_meta(pulled[46]) == nil)
      #expect(checksum(pulled[42]) == checksum(pulled[40]))
    }
  }
}
