import CGStreamer
import CGStreamerCheck
import Glibc
import Testing

extension Shots {
  /// Streams that end early, break off or begin anew: nothing ever waits for good.
  @Suite("Scene extension: ends", .timeLimit(.minutes(5))) struct SceneExtendEndTests {
    /// Seconds that it takes.
    private func time(_ body: () throws -> Void) rethrows -> Double {
      let start = monotonic()
      try body()
      return Double(monotonic() - start) / 1e9
    }

    private func endless(_ properties: KeyValuePairs<String, String> = [:], isLive: Bool = false) throws -> SceneStream {
      let stream = try SceneStream(properties, isLive: isLive)
      gst_harness_set_drop_buffers(stream.harness.gst, 1)
      try stream.play(0..<10)
      stream.harness.end()
      return stream
    }

    @Test func `an end before caps, and before any frame, is passed on`() throws {
      let bare = try SceneStream()
      bare.harness.push(gst_event_new_stream_start("shots"))
      #expect(bare.end() && bare.out.frameCount == 0)
      let caps = try SceneStream()
      caps.harness.setVideo(caps.video)
      #expect(caps.end() && caps.out.frameCount == 0)
      #expect(caps.bus.warnings.contains { $0.contains("no frame of the video was seen") })
      #expect(bare.bus.errors == [] && caps.bus.errors == [])
    }

    @Test func `a stream without times is extended`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "400000000"])
      stream.harness.setVideo(stream.video)
      for number in 0..<10 { stream.harness.push(try stream.picture(number), at: nil) }
      #expect(stream.end())
      #expect(stream.out.frames.dropFirst(10).map(\.pts) == (10..<20).map { frameTime($0) })
    }

    @Test(arguments: [false, true]) func `a flush in the middle of an extension returns at once, and the stream begins anew`(_ isLive: Bool)
      throws
    {
      let stream = try endless(isLive: isLive)
      var slowest = 0.0
      for round in 0..<10 {
        #expect(eventually { stream.generated.count > 0 })
        g_usleep(UInt(round) * 7000)
        slowest = max(slowest, time { stream.harness.flush() })
        stream.out.clear()
        stream.harness.setSegment(makeSegment())
        try stream.play(0..<10)
        #expect(stream.out.frames.map(\.pts) == (0..<10).map { frameTime($0) })
        stream.harness.end()
      }
      #expect(slowest < 2, "\(slowest) s")
      stream.stopExtension()
      #expect(stream.waitForEnd())
    }

    @Test(arguments: ["rephotograph", "diffusion"]) func `READY in the middle of an extension returns at once, any number of times`(
      _ generator: String
    ) throws {
      let model = try SceneModelFolder(["steps": "200"])
      var slowest = 0.0
      for isLive in [false, true] {
        let stream = try SceneStream(["generator": generator, "model": model.path, "precision": "float32"], isLive: isLive)
        gst_harness_set_drop_buffers(stream.harness.gst, 1)
        for round in 0..<6 {
          if round > 0 {
            gst_element_set_state(stream.harness.element, GST_STATE_PLAYING)
            stream.harness.push(gst_event_new_stream_start("again"))
            stream.harness.push(gst_event_new_caps(stream.video.makeCaps()))
            stream.harness.setSegment(makeSegment())
          }
          try stream.play(0..<10)
          stream.harness.end()
          g_usleep(UInt(round) * 20_000 + 5000)
          slowest = max(slowest, time { gst_element_set_state(stream.harness.element, GST_STATE_READY) })
        }
        #expect(stream.bus.errors == [])
      }
      #expect(slowest < 2, "\(slowest) s")
    }

    @Test func `a seek that flushes in the middle of an extension plays on`() throws {
      let pipeline = try Pipeline(
        "filesrc location=\(Excerpt.film) ! decodebin ! videoscale ! video/x-raw,width=160,height=90 ! sceneextend name=e generator=rephotograph ! fakesink name=s sync=false"
      )
      let recorder = try pipeline.watch("s", "sink")
      let flags = GstSeekFlags(rawValue: GST_SEEK_FLAG_FLUSH.rawValue | GST_SEEK_FLAG_ACCURATE.rawValue)
      pipeline.setState(GST_STATE_PAUSED)
      gst_element_seek_simple(pipeline.gst, GST_FORMAT_TIME, flags, gint64(58 * second))
      pipeline.setState(GST_STATE_PLAYING)
      #expect(eventually(within: 60) { pipeline.bus.boundaries.count > 1 })
      let took = time { gst_element_seek_simple(pipeline.gst, GST_FORMAT_TIME, flags, gint64(59 * second)) }
      #expect(took < 2, "\(took) s")
      recorder.clear()
      pipeline.bus.clear()
      #expect(eventually(within: 60) { pipeline.bus.boundaries.count > 1 })
      emit(try pipeline.element("e"), "stop-extension")
      #expect(eventually(within: 60) { !pipeline.bus.all(.endOfStream).isEmpty })
      #expect(recorder.frames.filter { $0.boundaries.isEmpty }.count >= 20 && pipeline.bus.errors == [])
    }

    @Test func `who takes no more frames gets the end, and an error is told`() throws {
      for (sink, isError) in [("identity eos-after=30", false), ("identity error-after=30", true)] {
        for sound in [
          "", "audiotestsrc num-buffers=20 ! audio/x-raw,rate=48000,channels=1 ! e.audio_sink e.audio_src ! fakesink sync=false",
        ] {
          let pipeline = try Pipeline(
            "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48 ! sceneextend name=e generator=rephotograph ! \(sink) ! fakesink sync=false \(sound)"
          )
          try pipeline.run(within: 30)
          #expect(pipeline.bus.errors.isEmpty != isError, "\(sink) \(sound): \(pipeline.bus.errors)")
        }
      }
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48 ! sceneextend name=e generator=rephotograph shots=2 shot-duration=400000000 ! fakesink sync=false audiotestsrc num-buffers=5 ! audio/x-raw,rate=48000,channels=1 ! e.audio_sink e.audio_src ! identity eos-after=9 ! fakesink sync=false"
      )
      try pipeline.run(within: 30)
      #expect(pipeline.bus.errors == [])
    }

    @Test func `who took no more of one stream gets the next one`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "400000000"])
      try stream.play(0..<10)
      let (sink, chain) = (stream.harness.gst.pointee.sinkpad, stream.harness.gst.pointee.sinkpad.pointee.chainfunc)
      gst_pad_set_chain_function_full(
        sink,
        { _, _, buffer in
          gst_buffer_unref(buffer)
          return GST_FLOW_EOS
        }, nil, nil)
      #expect(stream.end())
      gst_pad_set_chain_function_full(sink, chain, nil, nil)
      gst_harness_push_event(stream.harness.gst, gst_event_new_stream_start("next"))
      stream.harness.setVideo(stream.video)
      for number in 0..<3 { #expect(stream.harness.push(try stream.picture(number), at: frameTime(number)) == GST_FLOW_OK) }
      #expect(stream.end())
      #expect(stream.bus.errors == [])
    }

    @Test func `a stream that plays backwards passes as it is`() throws {
      let stream = try SceneStream(["trigger": "eos+stall+cut"])
      stream.harness.setVideo(stream.video, makeSegment(rate: -1, start: 0, stop: 2 * second))
      for number in (0..<50).reversed() {
        if number == 30 { #expect(!stream.extend(1)) }
        let buffer = try stream.picture(number)
        if number == 20 { Mark(kind: "cut", frame: 20, start: 19, end: 20).add(to: buffer) }
        #expect(stream.harness.push(buffer, at: frameTime(number)) == GST_FLOW_OK)
      }
      #expect(stream.end())
      #expect(stream.out.frameCount == 50 && stream.generated.isEmpty)
    }

    @Test func `a stream that follows the end ends the extension with its shot, and is extended too`() throws {
      let stream = try endless(["shot-duration": "400000000"])
      #expect(eventually { stream.generated.count > 1 })
      stream.harness.push(gst_event_new_stream_start("next"))
      #expect(stream.out.events.suffix(2).map(\.name) == ["eos", "stream-start"])
      #expect((stream.out.frameCount - 10) % 10 == 0)
      stream.out.clear()
      stream.harness.push(gst_event_new_caps(stream.video.makeCaps()))
      stream.harness.setSegment(makeSegment())
      stream.harness.set("shots", "1")
      try stream.play(0..<10)
      #expect(stream.end())
      #expect(stream.out.frames.map(\.pts) == (0..<20).map { frameTime($0) } && stream.generated.map(\.frame) == [10])
    }

    @Test func `states change any number of times, and no thread is left`() throws {
      let name = text(of: "/proc/thread-self/comm").utf8
      try write("shots-extend".utf8, to: "/proc/thread-self/comm")
      defer { try? write(name, to: "/proc/thread-self/comm") }
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=10 ! video/x-raw,width=96,height=64 ! sceneextend name=e generator=rephotograph ! fakesink sync=false audiotestsrc num-buffers=20 ! audio/x-raw,rate=48000,channels=1 ! e.audio_sink e.audio_src ! fakesink sync=false"
      )
      var memory = 0
      for life in 0..<50 {
        pipeline.bus.clear()
        pipeline.setState(GST_STATE_PLAYING)
        if life % 5 != 4 { #expect(eventually { pipeline.bus.boundaries.count > 1 }) }
        if life % 3 == 0, life % 5 != 4 {
          emit(try pipeline.element("e"), "stop-extension")
          #expect(eventually { !pipeline.bus.all(.endOfStream).isEmpty })
        }
        #expect(pipeline.setState(life % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL))
        #expect(pipeline.bus.errors == [])
        if life == 9 { memory = residentMegabytes }
      }
      pipeline.setState(GST_STATE_NULL)
      #expect(eventually { threads(named: "shots-extend") <= 1 })
      #expect(residentMegabytes < memory + 60)
    }

    @Test(arguments: ["rephotograph", "diffusion"]) func `nothing leaks after fifty extensions that are cut off`(_ generator: String) throws
    {
      try Plugin.require()
      let (folder, model) = (try Folder(), try SceneModelFolder(["steps": "40"]))
      let program = folder.file("extend_again")
      let (built, problems) = try Program.run([
        "sh", "-c", "cc -Wall -Werror \(Plugin.root)/Tests/tools/extend_again.c -o \(program) $(pkg-config --cflags --libs gstreamer-1.0)",
      ])
      #expect(built == 0, "\(problems)")
      for live in ["", "is-live=true"] {
        let (status, output) = try Program.run(
          [
            program, "50",
            """
            videotestsrc num-buffers=10 \(live) ! video/x-raw,format=NV12,width=96,height=64,framerate=100/1 ! sceneextend name=extend generator=\(generator) model=\(model.path) shot-duration=400000000 !
            x264enc speed-preset=ultrafast ! fakesink sync=false
            audiotestsrc num-buffers=10 \(live) ! audio/x-raw,rate=48000,channels=1 ! extend.audio_sink extend.audio_src ! fakesink sync=false
            """,
          ],
          [
            "GST_PLUGIN_PATH": Plugin.folder, "G_DEBUG": "fatal-warnings", "GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7",
            "GST_DEBUG_NO_COLOR": "1",
          ], within: 150)
        #expect(status == 0, "\(output.suffix(2000))")
        #expect(output.contains("50 times: ") && output.contains("new format string: object-alive"), "\(output.suffix(500))")
        #expect(!output.contains("object-alive, type-name=(string)Gst"), "\(output.suffix(2000))")
      }
    }

    @Test func `nothing leaks and nothing warns`() throws {
      try Plugin.require()
      let folder = try Folder()
      let model = try SceneModelFolder()
      for generator in ["rephotograph", "diffusion"] {
        let (status, output) = try Program.run(
          ["gst-launch-1.0", "-q"]
            + """
            videotestsrc num-buffers=20 ! video/x-raw,format=NV12,width=96,height=64,framerate=25/1 ! shotdetect align=true ! sceneextend name=e generator=\(generator) model=\(model.path) shots=6 audio=loop shot-duration=400000000 !
            queue ! x264enc speed-preset=ultrafast ! mp4mux name=m ! filesink location=\(folder.file("out.mp4"))
            audiotestsrc num-buffers=40 ! audio/x-raw,rate=48000,channels=1 ! e.audio_sink e.audio_src ! queue ! audioconvert ! avenc_aac ! m.
            """.split(whereSeparator: \.isWhitespace).map { String($0) },
          [
            "GST_PLUGIN_PATH": Plugin.folder, "G_DEBUG": "fatal-warnings", "GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7",
            "GST_DEBUG_NO_COLOR": "1",
          ])
        #expect(status == 0, "\(output.suffix(2000))")
        #expect(output.contains("new format string: object-alive"))
        #expect(!output.contains("object-alive, type-name=(string)Gst"), "\(output.suffix(2000))")
      }
    }
  }
}
