import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  @Suite("Bad input") struct BadInputTests {
    private let video: Video

    init() throws { video = try Video("I420", 64, 36) }

    /// Every format, since each may be read in its own way.
    @Test(arguments: Formats.all) func `a buffer smaller than its caps is an error that names the size`(_ format: String) throws {
      let video = try Video(format, 160, 90)
      for missing in [1, video.size / 2, video.size - 1] {
        let harness = try Harness()
        harness.setVideo(video)
        #expect(harness.push(try video.makeBuffer(size: video.size - missing), at: 0) == GST_FLOW_ERROR)
        #expect(harness.bus.errors.count == 1)
        #expect(harness.bus.errors.first?.contains("160×90 \(format)") == true)
        #expect(harness.bus.errors.first?.contains("\(video.size - missing) bytes") == true)
        #expect(harness.out.frameCount == 0)
      }
    }

    @Test func `an empty buffer is an error`() throws {
      let harness = try Harness()
      harness.setVideo(video)
      #expect(harness.push(gst_buffer_new(), at: 0) == GST_FLOW_ERROR)
      #expect(harness.bus.errors.count == 1)
    }

    @Test(arguments: Formats.all) func `metadata that leads outside of the memory is an error`(_ format: String) throws {
      let video = try Video(format, 160, 90)
      let (offsets, strides) = (four(video.info.offset), four(video.info.stride))
      for plane in 0..<video.planes {
        for lie in ["offset to the end", "offset beyond", "stride", "stride of 0", "stride below 0", "stride too small"] {
          var (offsets, strides) = (offsets, strides)
          switch lie {
          case "offset to the end": offsets[plane] = gsize(video.size - 1)
          case "offset beyond": offsets[plane] = 1 << 40
          case "stride": strides[plane] = strides[plane] &* 1000
          case "stride of 0": strides[plane] = 0
          case "stride below 0": strides[plane] = -strides[plane]
          default: strides[plane] = 3
          }
          let harness = try Harness()
          harness.setVideo(video)
          let buffer = try video.noise(1)
          gst_buffer_add_video_meta_full(
            buffer, GST_VIDEO_FRAME_FLAG_NONE, video.info.finfo.pointee.format, 160, 90, UInt32(video.planes), &offsets, &strides)
          #expect(harness.push(buffer, at: 0) == GST_FLOW_ERROR, "\(lie) of plane \(plane)")
          #expect(harness.bus.errors.count == 1, "\(lie) of plane \(plane)")
          #expect(harness.bus.errors.first?.contains("160×90") == true)
        }
      }
    }

    @Test func `metadata of a smaller picture or another format is an error`() throws {
      for (format, width, height) in [("I420", 32, 36), ("I420", 64, 18), ("GRAY8", 64, 36), ("Y444", 64, 36)] {
        let harness = try Harness()
        harness.setVideo(video)
        let other = try Video(format, width, height)
        let buffer = try video.noise(1)
        gst_buffer_add_video_meta(
          buffer, GST_VIDEO_FRAME_FLAG_NONE, other.info.finfo.pointee.format, UInt32(width), UInt32(height))
        #expect(harness.push(buffer, at: 0) == GST_FLOW_ERROR)
        #expect(harness.bus.errors.count == 1)
      }
    }

    @Test(arguments: [
      "video/x-raw,format=I420,width=0,height=36,framerate=25/1", "video/x-raw,format=NOTHING,width=64,height=36,framerate=25/1",
      "video/x-raw,width=64,height=36,framerate=25/1", "video/x-h264,width=64,height=36", "audio/x-raw,format=S16LE,rate=48000,channels=2",
      "video/x-raw(memory:DMABuf),format=I420,width=64,height=36,framerate=25/1",
    ])
    func `caps that cannot be read are refused`(_ text: String) throws {
      let harness = try Harness()
      harness.push(gst_event_new_stream_start("shots"))
      let caps = gst_caps_from_string(text)
      defer { gst_mini_object_unref(UnsafeMutableRawPointer(caps)?.assumingMemoryBound(to: GstMiniObject.self)) }
      harness.push(gst_event_new_caps(caps))
      harness.setSegment(makeSegment())
      #expect(harness.push(try video.noise(1), at: 0) == GST_FLOW_NOT_NEGOTIATED)
      #expect(harness.out.frameCount == 0)
    }

    @Test func `end before any data is passed on`() throws {
      for align in ["false", "true"] {
        let harness = try Harness("shotdetect", ["align": align, "post-toc": "true"])
        harness.push(gst_event_new_stream_start("shots"))
        harness.end()
        #expect(harness.out.story.last == "eos")
        #expect(harness.bus.all.allSatisfy { $0.kind == .other })
      }
      let harness = try Harness("shotdetect", ["post-toc": "true"])
      harness.setVideo(video)
      harness.end()
      #expect(harness.out.story.last == "eos")
      #expect(harness.bus.errors == [])
    }

    @Test func `a hundred lives with data each start over`() throws {
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=36 ! shotdetect name=d align=true detector=adaptive ! fakesink name=s sync=false"
      )
      let element = try pipeline.element("d")
      for life in 0..<100 {
        pipeline.bus.clear()
        pipeline.setState(GST_STATE_PLAYING)
        // Every third is stopped somewhere on its way.
        if life % 3 != 2 {
          #expect(eventually { !pipeline.bus.all(.endOfStream).isEmpty })
          var frames = GValue()
          g_object_get_property(gobject(element), "frames", &frames)
          #expect(g_value_get_uint64(&frames) == 6)
          g_value_unset(&frames)
        }
        #expect(pipeline.setState(life % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL))
        #expect(pipeline.bus.errors == [])
      }
    }
  }
}
