import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// What generated frames show.
  @Suite("Scene extension: pictures", .timeLimit(.minutes(5))) struct SceneExtendPictureTests {
    /// Checksums of the generated frames behind three shots.
    private func frames(_ seed: String, video: Video? = nil, shots: Int = 3) throws -> [UInt64] {
      let stream = try SceneStream(["shots": "\(shots)", "shot-duration": "400000000", "seed": seed], video: video)
      try stream.play(0..<30, cuts: [10, 20])
      #expect(stream.end())
      #expect(stream.bus.errors == [])
      let sums = stream.pullChecksums()
      #expect(sums.count == 30 + 10 * shots)
      return Array(sums.dropFirst(30))
    }

    @Test func `the same seed gives the same bytes, another one others`() throws {
      let first = try frames("7")
      #expect(try frames("7") == first)
      let others = try (8...10).map { try frames("\($0)") }
      #expect(others.allSatisfy { $0 != first })
      #expect(Set(first).count > 3, "pictures move, and shots differ")
    }

    @Test(arguments: Formats.all) func `every format is written`(_ format: String) throws {
      let video = try Video(format, 64, 48)
      let sums = try frames("1", video: video, shots: 1)
      // Black or grey everywhere would be one sum.
      #expect(Set(sums).count > 1)
    }

    @Test(
      arguments: [
        ("I420", 17, 13), ("I420", 1, 1), ("NV12", 33, 47), ("RGB", 15, 9), ("I420", 16, 16), ("v210", 17, 13), ("I420", 3840, 2160),
        ("I420", 2, 400), ("BGRx", 400, 2),
      ] as [(String, Int, Int)])
    func `odd, small and large pictures are extended`(_ format: String, _ width: Int, _ height: Int) throws {
      let video = try Video(format, width, height)
      let stream = try SceneStream(["shots": "2", "shot-duration": "120000000"], video: video)
      try stream.play(0..<4)
      #expect(stream.end())
      #expect(stream.out.frameCount == 10 && stream.jump == 0 && stream.bus.errors == [])
      #expect(stream.bus.warnings.filter { !$0.contains("shotdetect") } == [])
    }

    @Test func `new shots look like the colours that they were taken from`() throws {
      for format in ["I420", "RGBx"] {
        let video = try Video(format, 64, 48)
        let stream = try SceneStream(["shots": "1", "shot-duration": "200000000"], video: video)
        stream.harness.setVideo(video)
        for number in 0..<10 { stream.harness.push(try video.flat(200, 90, 40), at: frameTime(number)) }
        #expect(stream.end())
        var pictures: [[UInt8]] = []
        while let buffer = gst_harness_try_pull(stream.harness.gst) {
          pictures.append(try withBytes(of: cgst_buffer_make_writable(buffer)) { Array($0) })
          gst_buffer_unref(buffer)
        }
        let difference = distance(pictures[0][...], pictures[14][...])
        #expect(pictures.count == 15 && difference < 2.5, "\(format): \(difference)")
      }
    }

    // Frame 380 is in the film's fastest shot, behind one that has a step as large as a cut.
    @Test(arguments: [(120, 1), (290, 2), (380, 0), (380, 1), (550, 3), (900, 1)])
    func `shots asked for are the shots that shotdetect finds behind it, on their frames`(_ end: Int, _ seed: Int) throws {
      // Without the queue identity lets through what the decoder has on its way behind the end; one that is full would let through
      // the frame that waits for a place in it.
      let pipeline = try Pipeline(
        """
        filesrc location=\(Excerpt.film) ! decodebin ! videoconvert ! videoscale ! video/x-raw,format=I420,width=320,height=180 !
        queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! identity eos-after=\(end) !
        shotdetect name=before align=true ! sceneextend name=e generator=rephotograph shots=5 shot-duration=1500000000 seed=\(seed) !
        shotdetect name=behind align=true ! shotdetect name=adaptive detector=adaptive align=true ! fakesink sync=false
        """)
      let recorder = try pipeline.watch("behind", "src")
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      func cuts(_ name: String) -> [UInt64] {
        pipeline.bus.all(.element).filter { $0.source == name }.compactMap(\.fields).filter { $0.name == "shot-boundary" }.compactMap {
          $0.number("frame")
        }
      }
      let generated = cuts("e")
      let source = UInt64(recorder.frameCount - 5 * 36)
      #expect(generated == (0..<5).map { source + 36 * $0 })
      #expect(cuts("behind").filter { $0 >= source } == generated)
      #expect(cuts("adaptive").filter { $0 >= source } == generated)
      #expect(cuts("behind").filter { $0 < source } == cuts("before"))
    }

    @Test func `caps that change just before the end are those of what follows`() throws {
      let stream = try SceneStream(["shots": "1", "shot-duration": "400000000"])
      try stream.play(0..<20, cuts: [10])
      let wide = try Video("NV12", 160, 50, rate: (50, 1))
      stream.harness.setVideo(wide)
      #expect(stream.end(), "no frame of the new caps came")
      #expect(stream.out.frameCount == 20 + 20 && stream.bus.errors == [])
      #expect(stream.out.frames.last?.duration == 20 * millisecond)
      var sizes: [Int] = []
      while let buffer = gst_harness_try_pull(stream.harness.gst) {
        sizes.append(Int(gst_buffer_get_size(buffer)))
        gst_buffer_unref(buffer)
      }
      #expect(sizes[20...].allSatisfy { $0 == wide.size })
    }

    @Test func `many shots take no more memory than few`() throws {
      let stream = try SceneStream(["shots": "200", "shot-duration": "200000000"])
      gst_harness_set_drop_buffers(stream.harness.gst, 1)
      try stream.play(0..<30, cuts: [10, 20])
      #expect(stream.end())
      #expect(stream.generated.count == 200 && stream.out.frameCount == 30 + 1000)
    }
  }
}
