import CGStreamer
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct VideoConverterTests {
    private func info(_ caps: String) throws -> VideoInfo {
      let caps = try #require(gst_caps_from_string(caps))
      defer { gst_caps_unref(caps) }
      return try #require(VideoInfo(caps: caps))
    }

    private func frame(_ info: VideoInfo, level: UInt8) throws -> UnsafeMutablePointer<GstBuffer> {
      let buffer = try #require(gst_buffer_new_allocate(nil, info.gst.size, nil))
      gst_buffer_memset(buffer, 0, level, info.gst.size)
      return buffer
    }

    @Test(arguments: ["progressive", "interleaved"]) func framesAreConvertedWhateverTheirRateAndInterlacing(_ mode: String) throws {
      let input = try info("video/x-raw,format=GRAY8,width=8,height=4,framerate=30/1,interlace-mode=\(mode),colorimetry=1:4:0:0")
      let output = try #require(VideoInfo(GST_VIDEO_FORMAT_BGRx, width: 4, height: 2))
      let converter = try VideoConverter(from: input, to: output)
      for level in [UInt8(255), 128, 0] {
        let buffer = try frame(input, level: level)
        defer { gst_buffer_unref(buffer) }
        let read = try VideoFrame.map(buffer, input) { frame in
          try converter.convert(frame) { converted in
            let found = converted.plane(0)
            let plane = try #require(found)
            #expect(plane.rows == 2 && plane.rowBytes == 16)
            return Array(UnsafeRawBufferPointer(start: plane.base, count: 3))
          }
        }
        #expect(read == [level, level, level])
        #expect(buffer.pointee.mini_object.refcount == 1)
      }
    }

    /// Two samples a direction are read for each of the result, whatever the scale, as OpenCV's INTER_LINEAR does.
    @Test func scalingDoesNotAverage() throws {
      let input = try info("video/x-raw,format=GRAY8,width=32,height=4,framerate=30/1,colorimetry=1:4:0:0")
      let converter = try VideoConverter(from: input, to: try #require(VideoInfo(GST_VIDEO_FORMAT_BGRx, width: 4, height: 4)))
      let buffer = try frame(input, level: 0)
      defer { gst_buffer_unref(buffer) }
      // GStreamer aligns the corners: the first and last column are read as they are.
      for row in 0..<4 {
        gst_buffer_memset(buffer, gsize(row * 32), 255, 1)
        gst_buffer_memset(buffer, gsize(row * 32 + 31), 255, 1)
      }
      let read = try VideoFrame.map(buffer, input) { frame in
        try converter.convert(frame) { converted in
          let found = converted.plane(0)
          return Array(UnsafeRawBufferPointer(start: try #require(found).base, count: 16))
        }
      }
      #expect(stride(from: 0, to: 16, by: 4).map { read[$0] > 250 } == [true, false, false, true])
    }

    @Test func aFrameOfAnotherSizeIsRefused() throws {
      let input = try info("video/x-raw,format=GRAY8,width=8,height=4,framerate=30/1")
      let smaller = try info("video/x-raw,format=GRAY8,width=4,height=4,framerate=30/1")
      let converter = try VideoConverter(from: input, to: try #require(VideoInfo(GST_VIDEO_FORMAT_BGR, width: 4, height: 4)))
      let buffer = try frame(smaller, level: 0)
      defer { gst_buffer_unref(buffer) }
      #expect(throws: ElementError.self) { try VideoFrame.map(buffer, smaller) { try converter.convert($0) { _ in } } }
    }

    @Test func aShortPlaneIsRefused() throws {
      let input = try info("video/x-raw,format=I420,width=8,height=4,framerate=30/1")
      let buffer = try #require(gst_buffer_new_allocate(nil, input.gst.size - 1, nil))
      defer { gst_buffer_unref(buffer) }
      #expect(throws: ElementError.self) { try VideoFrame.map(buffer, input) { _ in } }
    }
  }
}
