import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// The sound beside the video.
  @Suite("Defade sound") struct DefadeSoundTests {
    private let video: Video
    private let rate = 48_000
    /// Samples of one frame at 25 frames a second.
    private let frame = 1920

    init() throws { video = try Video("GRAY8", 8, 8) }

    private func push(_ harness: Harness, _ numbers: Range<Int>, _ marks: [Mark] = []) throws {
      if harness.video == nil { harness.setVideo(video) }
      for number in numbers {
        let buffer = try video.makeBuffer()
        for mark in marks where mark.frame == number { mark.add(to: buffer) }
        #expect(harness.push(buffer, at: frameTime(number)) == GST_FLOW_OK)
      }
    }

    /// Tells where in the input it was.
    private func value(_ position: Int) -> Int16 { Int16(position % 30_000 + 1) }

    /// Pushes the sound of so many frames in buffers of `size` samples.
    private func push(_ sound: SoundHarness, _ samples: Range<Int>, size: Int = 1024) {
      for start in stride(from: samples.lowerBound, to: samples.upperBound, by: size) {
        let end = min(start + size, samples.upperBound)
        #expect(sound.push((start..<end).map { value($0) }, at: start) == GST_FLOW_OK)
      }
    }

    private func play(_ mode: String, sizes: Int = 1024, soundFirst: Bool = false) throws -> (samples: [Int16], jump: Int64) {
      let harness = try Harness("defade", ["margin": "0", "mode": mode])
      let sound = try SoundHarness(beside: harness)
      let marks = [Mark(frame: 45, start: 40, end: 50), Mark(kind: "dissolve", frame: 105, start: 99, end: 112, shot: 3)]
      if soundFirst { push(sound, 0..<200 * frame, size: sizes) }
      try push(harness, 0..<200, marks)
      harness.end()
      if !soundFirst { push(sound, 0..<200 * frame, size: sizes) }
      sound.end()
      let expected = mode == "cut" ? (200 - 9 - 12) * frame : 200 * frame
      let pulled = sound.pull { $0 >= expected }
      #expect(pulled.samples.count == expected)
      #expect(eventually { harness.out.events.contains { $0.name == "eos" } })
      return pulled
    }

    /// Sizes of sound's buffers, and whether it comes before the video.
    @Test(arguments: [(1024, false), (1024, true), (333, false), (48_000, true), (1_000_000, false)])
    func `cut takes the sound of the frames out, to the sample, early or late`(_ size: Int, _ soundFirst: Bool) throws {
      let (samples, jump) = try play("cut", sizes: size, soundFirst: soundFirst)
      #expect(jump <= 1)
      // From the middle of the crossfades on the sound is that of the new shot: 5 ms on each side are mixed.
      let half = 240
      let stretches = [(0, 41 * frame, 0), (41 * frame, 91 * frame, 9 * frame), (91 * frame, 179 * frame, 21 * frame)]
      for (start, end, shift) in stretches {
        let clean = (start == 0 ? 0 : start + half)..<(end == 179 * frame ? end : end - half)
        #expect(clean.allSatisfy { samples[$0] == value($0 + shift) }, "\(start) to \(end)")
      }
      for joint in [41 * frame, 91 * frame] {
        let shift = joint == 41 * frame ? (0, 9 * frame) : (9 * frame, 21 * frame)
        let worst =
          (0..<480).map { index in
            let position = joint - half + index
            let share = (Double(index) + 0.5) / 480
            let mixed = Double(value(position + shift.0)) * (1 - share) + Double(value(position + shift.1)) * share
            return abs(Double(samples[position]) - mixed)
          }.max() ?? .infinity
        #expect(worst <= 1, "a straight crossfade of 10 ms, rounded to 16 bits")
      }
    }

    @Test func `time stamps that tremble cost no sample`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let sound = try SoundHarness(beside: harness)
      try push(harness, 0..<100, [Mark(frame: 45, start: 40, end: 50)])
      harness.end()
      for (number, start) in stride(from: 0, to: 100 * frame, by: 480).enumerated() {
        sound.push((start..<start + 480).map { value($0) }, at: max(0, start + (number % 3 - 1) * 30))
      }
      sound.end()
      let (joint, shift) = (41 * frame, 9 * frame)
      let samples = sound.pull { $0 >= 91 * frame }.samples
      #expect(samples.count == 91 * frame)
      let clean = Array(0..<joint - 240) + Array(joint + 240..<91 * frame)
      #expect(clean.allSatisfy { samples[$0] == value($0 < joint ? $0 : $0 + shift) })
    }

    @Test func `hold leaves the sound as it is`() throws {
      let (samples, jump) = try play("hold")
      #expect(samples.indices.allSatisfy { samples[$0] == value($0) })
      #expect(jump <= 1)
    }

    @Test func `sound of a cut waits for the picture, that of hold does not`() throws {
      for mode in ["cut", "hold"] {
        let harness = try Harness("defade", ["margin": "0", "mode": mode])
        let sound = try SoundHarness(beside: harness)
        try push(harness, 0..<100)
        push(sound, 0..<100 * frame)
        // Three seconds of video are held: what is before them is decided, less the 5 ms that a cut may reach back.
        let decided = mode == "cut" ? 26 * frame - 240 : 100 * frame
        #expect(sound.pull { $0 >= decided }.samples.count == decided)
        g_usleep(50_000)
        #expect(sound.pull { _ in true }.samples.isEmpty)
        harness.end()
        #expect(sound.pull { $0 >= 100 * frame - decided }.samples.count == 100 * frame - decided, "the video has ended")
      }
    }

    @Test func `sound goes on after the video has ended`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let sound = try SoundHarness(beside: harness)
      try push(harness, 0..<50)
      harness.end()
      push(sound, 0..<100 * frame)
      #expect(sound.pull { $0 >= 100 * frame }.samples.count == 100 * frame)
    }

    @Test func `sound ends where a fade-out ends the film`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let sound = try SoundHarness(beside: harness)
      try push(harness, 0..<100, [Mark(frame: 99, start: 89, end: nil)])
      harness.end()
      push(sound, 0..<110 * frame)
      sound.end()
      // It fades out within the 10 ms around the end.
      let samples = sound.pull { $0 >= 90 * frame + 240 }.samples
      #expect(samples.count == 90 * frame + 240)
      #expect(abs(Int(samples.last ?? 99)) < Int(value(90 * frame)) / 100)
    }

    @Test func `sound without a video passes`() throws {
      let element = try #require(gst_element_factory_make("defade", nil))
      gst_util_set_object_arg(gobject(element), "mode", "cut")
      let harness = try #require(gst_harness_new_with_element(element, "audio_sink", "audio_src"))
      gst_object_unref(element)
      defer { gst_harness_teardown(harness) }
      gst_harness_set_src_caps_str(harness, "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved")
      let buffer = try #require(gst_buffer_new_allocate(nil, 2000, nil))
      buffer.pointee.pts = 0
      #expect(gst_harness_push(harness, buffer) == GST_FLOW_OK)
      gst_harness_push_event(harness, gst_event_new_eos())
      let out = try #require(gst_harness_pull(harness))
      #expect(gst_buffer_get_size(out) == 2000)
      gst_buffer_unref(out)
    }

    @Test func `a sound pad that gets nothing holds nothing up`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let sound = try SoundHarness(beside: harness)
      try push(harness, 0..<300, [Mark(frame: 45, start: 40, end: 50)])
      harness.end()
      #expect(eventually { harness.out.events.contains { $0.name == "eos" } })
      #expect(harness.out.frameCount == 291)
      #expect(harness.out.frames.allSatisfy { $0.isWritable }, "nobody else holds what leaves by a thread")
      withExtendedLifetime(sound) {}
    }

    @Test func `a gap in the sound at a joint is silence, not a shift`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let sound = try SoundHarness(beside: harness)
      try push(harness, 0..<200, [Mark(frame: 45, start: 40, end: 50)])
      harness.end()
      push(sound, 0..<40 * frame)
      push(sound, 60 * frame..<200 * frame)
      sound.end()
      var late: [(UInt64, Int16)] = []
      #expect(
        eventually {
          while let buffer = gst_harness_try_pull(sound.gst) {
            var first = [Int16](repeating: 0, count: 1)
            gst_buffer_extract(buffer, 0, &first, 2)
            late.append((UInt64(buffer.pointee.pts), first[0]))
            gst_buffer_unref(buffer)
          }
          return (late.last?.0 ?? 0) >= frameTime(190)
        })
      let after = try #require(late.first { $0.1 == value(60 * frame) })
      #expect(after.0 == frameTime(51), "nine frames earlier, as the picture")
    }

    @Test func `after a flush of both, sound and picture begin anew`() throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let sound = try SoundHarness(beside: harness)
      try push(harness, 0..<200, [Mark(frame: 45, start: 40, end: 50)])
      push(sound, 0..<200 * frame)
      #expect(sound.pull { $0 > 80 * frame }.samples.count > 80 * frame)
      for event in [gst_event_new_flush_start(), gst_event_new_flush_stop(1)] as [UnsafeMutablePointer<GstEvent>?] {
        harness.push(event.map { gst_event_ref($0) })
        gst_harness_push_event(sound.gst, event)
      }
      var segment = makeSegment()
      harness.setSegment(segment)
      gst_harness_push_event(sound.gst, gst_event_new_segment(&segment))
      while let stale = gst_harness_try_pull(sound.gst) { gst_buffer_unref(stale) }
      harness.out.clear()
      try push(harness, 0..<100)
      push(sound, 0..<100 * frame)
      harness.end()
      let samples = sound.pull { $0 >= 100 * frame }.samples
      #expect(samples.indices.allSatisfy { samples[$0] == value($0) })
      #expect(eventually { harness.out.frames.map(\.pts) == (0..<100).map { frameTime($0) } })
    }

    @Test func `a state change ends every wait`() throws {
      for _ in 0..<5 {
        let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
        let sound = try SoundHarness(beside: harness)
        try push(harness, 0..<60)
        push(sound, 0..<60 * frame)
        #expect(gst_element_set_state(harness.element, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS)
        withExtendedLifetime(sound) {}
      }
    }

    @Test func `picture and sound stay together over ten minutes`() throws {
      let slow = try Video("GRAY8", 2, 2, rate: (30000, 1001))
      let rate = 44_100
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let sound = try SoundHarness(beside: harness, rate: rate)
      harness.setVideo(slow)
      let count = 600 * 30
      func time(_ number: Int) -> UInt64 { frameTime(number, rate: (30000, 1001)) }
      func sample(_ number: Int) -> Int { Int(gst_util_uint64_scale_round(guint64(time(number)), guint64(rate), 1_000_000_000)) }
      // A transition every 4 s of 11 to 40 frames, and a click at every frame that is a multiple of 30.
      var sounding = [Int16](repeating: 0, count: sample(count))
      for number in stride(from: 0, to: count, by: 30) { sounding[sample(number)] = 30_000 }
      var taken = 0
      var kept: [(frame: Int, taken: Int)] = []
      var marks: [Int: Mark] = [:]
      var last = 0
      for start in stride(from: 105, to: count - 100, by: 120) {
        let length = 11 + start % 30
        marks[start + length / 2] = Mark(frame: start + length / 2, start: start, end: start + length + 1)
        kept += (last...start).map { ($0, taken) }
        taken += length
        last = start + length + 1
      }
      kept += (last..<count).map { ($0, taken) }
      var position = 0
      var heard: [Int16] = []
      for number in 0..<count {
        let buffer = try slow.makeBuffer()
        if let mark = marks[number], let end = mark.end {
          // The helper counts at 25 frames a second.
          mark.add(to: buffer)
          let meta = try #require(gst_buffer_get_custom_meta(buffer, "GstShotBoundaryMeta"))
          for (field, place) in [
            ("pts", number), ("running-time", number), ("stream-time", number), ("transition-start", mark.start), ("transition-end", end),
          ] {
            var value = GValue()
            g_value_init(&value, GType(11 << 2))
            g_value_set_uint64(&value, guint64(time(place)))
            gst_structure_set_value(gst_custom_meta_get_structure(meta), field, &value)
          }
        }
        harness.push(buffer, at: time(number))
        if number % 25 == 24 || number == count - 1 {
          let end = sample(number + 1)
          sound.push(Array(sounding[position..<min(end, sounding.count)]), at: position)
          position = end
          while let out = gst_harness_try_pull(harness.gst) { gst_buffer_unref(out) }
          heard += sound.pull { _ in true }.samples
        }
      }
      harness.end()
      sound.end()
      heard += sound.pull { heard.count + $0 >= sample(count - taken) }.samples
      #expect(eventually { harness.out.frameCount == count - taken })
      let frames = harness.out.frames.map(\.pts)
      #expect(frames.count == kept.count)
      var worst = 0.0
      for (index, one) in kept.enumerated() where one.frame % 30 == 0 {
        let near = Int(Double(frames[index]) * Double(rate) / 1e9)
        // Crossfades may weaken the click at a joint.
        guard let click = (max(0, near - 400)..<min(heard.count, near + 400)).first(where: { heard[$0] == 30_000 }) else { continue }
        worst = max(worst, abs(Double(click) / Double(rate) - Double(frames[index]) / 1e9))
      }
      #expect(worst < 0.0001, "within 5 ms is asked for; it was \(worst * 1000) ms")
      #expect(Double(heard.count) / Double(rate) - Double(sample(count)) / Double(rate) + Double(time(taken)) / 1e9 < 0.001)
    }

    @Test(arguments: ["S8", "U8", "S16BE", "U16LE", "S24LE", "S24_32LE", "S32LE", "F32LE", "F64BE"])
    func `every format of samples`(_ format: String) throws {
      let harness = try Harness("defade", ["margin": "0", "mode": "cut"])
      let sound = try #require(gst_harness_new_with_element(harness.element, "audio_sink", "audio_src"))
      defer { gst_harness_teardown(sound) }
      let caps = "audio/x-raw,format=\(format),rate=32000,channels=2,layout=interleaved,channel-mask=(bitmask)0x3"
      gst_harness_set_src_caps_str(sound, caps)
      try push(harness, 0..<100, [Mark(frame: 45, start: 40, end: 50)])
      harness.end()
      // Silence stays silence through a crossfade, whatever the format writes it as.
      let info = try #require(gst_caps_from_string(caps))
      defer { gst_caps_unref(info) }
      var audio = GstAudioInfo()
      gst_audio_info_from_caps(&audio, info)
      let size = Int(audio.bpf) * 128_000
      var silence = [UInt8](repeating: 0, count: size)
      gst_audio_format_info_fill_silence(audio.finfo, &silence, gsize(size))
      let buffer = try #require(gst_buffer_new_allocate(nil, gsize(size), nil))
      gst_buffer_fill(buffer, 0, silence, gsize(size))
      buffer.pointee.pts = 0
      #expect(gst_harness_push(sound, buffer) == GST_FLOW_OK)
      gst_harness_push_event(sound, gst_event_new_eos())
      var bytes: [UInt8] = []
      let wanted = Int(audio.bpf) * (128_000 - 9 * 1280)
      _ = eventually {
        while let out = gst_harness_try_pull(sound) {
          var part = [UInt8](repeating: 0, count: Int(gst_buffer_get_size(out)))
          gst_buffer_extract(out, 0, &part, gsize(part.count))
          bytes += part
          gst_buffer_unref(out)
        }
        return bytes.count >= wanted
      }
      #expect(bytes == Array(silence[..<wanted]))
    }

    @Test(arguments: ["hold", "cut"]) func `a muxer behind it never waits for itself`(_ mode: String) throws {
      let folder = try Folder()
      let pipeline = try Pipeline(
        "filesrc location=\(Excerpt.film) ! decodebin name=in in. ! videoscale ! video/x-raw,width=160,height=90 ! shotdetect detector=fused align=true ! defade name=d mode=\(mode) ! x264enc speed-preset=ultrafast ! matroskamux name=m ! filesink location=\(folder.file("a.mkv")) in. ! audioconvert ! d.audio_sink d.audio_src ! avenc_aac ! m."
      )
      try pipeline.run(within: 60)
      #expect(pipeline.bus.errors.isEmpty)
      #expect(!contents(of: folder.file("a.mkv")).isEmpty)
    }
  }
}
