import CGStreamer
import Synchronization
import Testing

extension Shots {
  /// Whole pipelines: live, film, seeks, leaks.
  @Suite("Defade streams") struct DefadeStreamTests {
    /// Marks buffers that pass a pad, counted from 0.
    private func mark(_ pipeline: Pipeline, _ name: String, _ marks: [Mark]) throws {
      final class Marker: Sendable {
        let marks: [Mark]
        let count = Atomic(0)
        init(_ marks: [Mark]) { self.marks = marks }
      }
      let pad = try #require(gst_element_get_static_pad(try pipeline.element(name), "src"))
      defer { gst_object_unref(pad) }
      gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        { _, info, me in
          guard let info, let me, let data = info.pointee.data else { return GST_PAD_PROBE_OK }
          let marker = Unmanaged<Marker>.fromOpaque(me).takeUnretainedValue()
          let number = marker.count.add(1, ordering: .relaxed).oldValue
          for mark in marker.marks where mark.frame == number {
            let buffer = cgst_buffer_make_writable(data.assumingMemoryBound(to: GstBuffer.self))
            // A live source begins some milliseconds late.
            if let buffer { mark.add(to: buffer, offset: UInt64(buffer.pointee.pts) - frameTime(number)) }
            info.pointee.data = UnsafeMutableRawPointer(buffer)
          }
          return GST_PAD_PROBE_OK
        }, Unmanaged.passRetained(Marker(marks)).toOpaque(), { if let me = $0 { Unmanaged<Marker>.fromOpaque(me).release() } })
    }

    @Test(arguments: ["hold", "cut"]) func `a live stream keeps its pace, and cut says how late it has become`(_ mode: String) throws {
      let pipeline = try Pipeline(
        """
        videotestsrc name=in is-live=true do-timestamp=false num-buffers=100 ! video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! \
        defade name=d mode=\(mode) margin=0 look-ahead=400000000 ! fakesink name=picture sync=true \
        audiotestsrc is-live=true samplesperbuffer=480 num-buffers=400 ! audio/x-raw,rate=48000,channels=1 ! d.audio_sink d.audio_src ! fakesink name=sound sync=true
        """)
      try mark(pipeline, "in", [Mark(frame: 45, start: 40, end: 50)])
      let pictures = try pipeline.watch("picture", "sink")
      let sounds = try pipeline.watch("sound", "sink")
      let began = monotonic()
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      var latencies: Set<UInt64> = []
      let ended = eventually(within: 30) {
        if !pipeline.bus.all(.latency).isEmpty {
          pipeline.bus.clear()
          gst_bin_recalculate_latency(UnsafeMutableRawPointer(pipeline.gst).assumingMemoryBound(to: GstBin.self))
          if let query = gst_query_new_latency() {
            if gst_element_query(pipeline.gst, query) != 0 {
              var low = GstClockTime(0)
              gst_query_parse_latency(query, nil, &low, nil)
              latencies.insert(UInt64(low))
            }
            gst_mini_object_unref(UnsafeMutableRawPointer(query).assumingMemoryBound(to: GstMiniObject.self))
          }
        }
        return pipeline.bus.all.contains { $0.kind == .endOfStream || $0.kind == .error }
      }
      let took = monotonic() - began
      #expect(ended)
      #expect(pipeline.bus.errors.isEmpty)
      gst_element_set_state(pipeline.gst, GST_STATE_NULL)
      let kept = mode == "cut" ? 91 : 100
      let shown = pictures.frames.map(\.pts)
      #expect(shown.count == kept && zip(shown, shown.dropFirst()).allSatisfy { $1 - $0 == frameTime(1) })
      let heard = try #require(sounds.frames.last).pts - (try #require(sounds.frames.first)).pts
      #expect(abs(Int64(heard) + 10_000_000 - Int64(frameTime(kept))) <= 10_000_000, "the sound lasts as long as the picture")
      // Four seconds of source, and what is held of them.
      #expect(took >= 4 * second - 50 * millisecond)
      let own = 400 * millisecond + (mode == "cut" ? frameTime(9) : 0)
      #expect(latencies.max().map { $0 >= own && $0 < own + 200 * millisecond } == true, "\(latencies)")
    }

    /// With little sound nothing else wakes who waits for room.
    @Test(arguments: [1, 400]) func `a sink that keeps time gets on after a long transition was taken out`(_ sounds: Int) throws {
      let pipeline = try Pipeline(
        """
        videotestsrc name=in num-buffers=100 ! video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! \
        defade name=d mode=cut look-ahead=400000000 ! fakesink sync=true \
        audiotestsrc samplesperbuffer=480 num-buffers=\(sounds) ! audio/x-raw,rate=48000,channels=1 ! d.audio_sink d.audio_src ! fakesink sync=true
        """)
      try mark(pipeline, "in", [Mark(frame: 45, start: 30, end: 60)])
      try pipeline.run(within: 20)
      #expect(pipeline.bus.errors.isEmpty)
    }

    @Test(arguments: ["hold", "cut", "restore"]) func `after it no detector finds anything gradual in the film`(_ mode: String) throws {
      let pipeline = try Pipeline(
        """
        filesrc location=\(Excerpt.film) ! decodebin ! videoscale ! video/x-raw,format=I420,width=320,height=180 ! identity name=in eos-after=1200 ! \
        shotdetect name=before detector=fused align=true ! defade name=d mode=\(mode) margin=2 ! shotdetect name=after detector=fused align=true ! \
        shotdetect name=transnet detector=transnet ! fakesink name=out sync=false
        """)
      let source = try pipeline.watch("in", "src")
      let pictures = try pipeline.watch("out", "sink")
      try pipeline.run()
      #expect(pipeline.bus.errors.isEmpty)
      let found = { (name: String) in
        pipeline.bus.all(.element).filter { $0.source == name }.compactMap(\.fields).compactMap { Found($0) }
      }
      let before = found("before")
      let gradual = before.filter { $0.kind != "cut" }
      #expect(gradual.count == 2, "a fade and a dissolve: \(before)")
      for name in ["after", "transnet"] {
        #expect(found(name).allSatisfy { $0.kind == "cut" }, "\(name): \(found(name))")
        #expect(found(name).count == before.count)
      }
      // Where the cuts must be now.
      func frame(_ time: UInt64) -> Int { Int((Double(time) * 24 / 1e9).rounded()) }
      var taken = 0
      let expected = before.map { one -> Int in
        if one.kind == "cut" { return Int(one.frame) - taken }
        let (start, end) = (frame(one.start) - 2, frame(one.end) + 2)
        guard mode == "cut" else { return start + (end - start + 1) / 2 }
        defer { taken += end - start - 1 }
        return end - (end - start - 1) - taken
      }
      // Extents of fades are measured once more.
      #expect(abs(pictures.frameCount - source.frameCount + taken) <= 4)
      for (was, now) in zip(expected, found("after")) {
        // restore cuts where the picture is faintest.
        #expect(abs(was - Int(now.frame)) <= (mode == "restore" ? 12 : 4), "\(mode): expected \(was), found \(now)")
      }
    }

    @Test func `a seek in the middle of a transition starts over`() throws {
      let pipeline = try Pipeline(
        """
        filesrc location=\(Excerpt.film) ! decodebin name=in in. ! videoscale ! video/x-raw,format=I420,width=64,height=36 ! \
        shotdetect detector=threshold ! defade name=d mode=cut look-ahead=500000000 ! queue ! fakesink name=out sync=false \
        in. ! audioconvert ! d.audio_sink d.audio_src ! queue ! fakesink sync=false
        """)
      let out = try pipeline.watch("out", "sink")
      #expect(pipeline.setState(GST_STATE_PAUSED))
      for place in [33, 10, 32, 0] as [Int64] {
        out.clear()
        let flags = GstSeekFlags(rawValue: GST_SEEK_FLAG_FLUSH.rawValue | GST_SEEK_FLAG_ACCURATE.rawValue)
        #expect(gst_element_seek_simple(pipeline.gst, GST_FORMAT_TIME, flags, gint64(place) * 1_000_000_000) != 0)
        #expect(gst_element_get_state(pipeline.gst, nil, nil, GstClockTime(20 * second)) == GST_STATE_CHANGE_SUCCESS)
        let first = try #require(out.frames.first)
        // The film's first frame is shown at 83 ms.
        #expect(abs(Int64(first.pts) - place * 1_000_000_000) < 100_000_000)
      }
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      #expect(eventually(within: 60) { pipeline.bus.all.contains { $0.kind == .endOfStream || $0.kind == .error } })
      #expect(pipeline.bus.errors.isEmpty)
    }
  }
}
