import CGStreamer
import GStreamerKit
import Testing
import Timing

extension GStreamerKitTests {
  /// Buffers that are not what their caps promise.
  @Suite struct ForeignDataTests {
    private static let grey = "video/x-raw,format=GRAY8,width=4,height=2,framerate=25/1"
    private static let sound = "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved"

    private func info(_ caps: String) throws -> VideoInfo { try #require(Caps(caps)?.video) }

    /// A frame of 8×4 bytes whose metadata say so.
    private func padded(_ bytes: [UInt8]) throws -> Buffer {
      let buffer = try #require(Buffer(bytes: bytes))
      gst_buffer_add_video_meta(buffer.gst, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 8, 4)
      return buffer
    }

    @Test func aFrameIsAsLargeAsItsCapsWhereMetadataClaimMore() throws {
      let read = try padded(Array(0..<32)).withFrame(info(Self.grey)) { frame in
        #expect(frame.gst.pointee.info.width == 4 && frame.gst.pointee.info.height == 2)
        let found = frame.plane(0)
        let plane = try #require(found)
        #expect(plane.stride == 8 && plane.rowBytes == 4 && plane.rows == 2)
        return plane.base.loadUnaligned(fromByteOffset: plane.stride, as: UInt8.self)
      }
      #expect(read == 8)
    }

    /// What unpacks a row has room for as many pixels as the caps say.
    @Test func aRowIsNoLongerThanItsCaps() throws {
      let info = try info("video/x-raw,format=IYU2,width=4,height=2,framerate=25/1")
      let buffer = try #require(Buffer(size: 3 * 4096 * 4))
      gst_buffer_add_video_meta(buffer.gst, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_IYU2, 4096, 4)
      try buffer.withFrame(info) { frame in #expect(frame.gst.pointee.info.width == 4) }
    }

    @Test(arguments: [(32_767, true), (32_768, false), (70_000, false)])
    func sidesThatGStreamersConverterCannotCountAreRefused(_ width: Int, _ isTaken: Bool) throws {
      let long = try info("video/x-raw,format=NV12,width=\(width),height=2,framerate=25/1")
      let small = try #require(VideoInfo(GST_VIDEO_FORMAT_BGRx, width: 4, height: 2))
      if isTaken { _ = try VideoConverter(from: long, to: small) } else { _ = try refusal { try VideoConverter(from: long, to: small) } }
      if !isTaken { #expect(try refusal { try VideoConverter(from: small, to: long) }.text.contains("\(width)×2")) }
    }

    private func refusal(_ make: () throws -> VideoConverter) throws -> ElementError {
      try #require(#expect(throws: ElementError.self) { _ = try make() })
    }

    @Test(arguments: [
      (UInt32(25), UInt32(1), UInt32(24), true), (25, 1, 25, false), (.max, 1, 24, false), (0, 1, 0, false), (25, 0, 0, false),
    ])
    func aTimeCodeThatNoClockShowsIsNone(_ frames: UInt32, _ seconds: UInt32, _ frame: UInt32, _ isShown: Bool) throws {
      var buffer = try #require(Buffer(size: 8))
      gst_buffer_add_video_time_code_meta_full(buffer.gst, 25, 1, nil, GST_VIDEO_TIME_CODE_FLAGS_NONE, 0, 0, 0, 0, 0)
      let meta = try #require(gst_buffer_get_meta(buffer.gst, gst_video_time_code_meta_api_get_type()))
      let code = UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstVideoTimeCodeMeta.self)
      (code.pointee.tc.config.fps_n, code.pointee.tc.config.fps_d, code.pointee.tc.frames) = (frames, seconds, frame)
      let found = buffer.timeCode
      #expect((found != nil) == isShown)
      buffer.timeCode = found?.next
      #expect((buffer.timeCode != nil) == isShown)
    }

    // MARK: Sound

    private func sound(claiming change: (inout GstAudioMeta) -> Void) throws -> Buffer {
      let buffer = try #require(Buffer(size: 400))
      var info = try #require(Caps(Self.sound)?.audio).gst
      let meta = try #require(gst_buffer_add_audio_meta(buffer.gst, &info, 100, nil))
      change(&meta.pointee)
      return buffer
    }

    @Test func soundThatItsMetadataDoNotDescribeIsNotCut() throws {
      let info = try #require(Caps(Self.sound)?.audio)
      #expect(try sound { _ in }.hasSamples(info))
      #expect(try sound { $0.samples = 99 }.hasSamples(info))
      #expect(try #require(Buffer(size: 399)).hasSamples(info))
      for change: (inout GstAudioMeta) -> Void in [
        { $0.samples = 101 }, { $0.samples = .max }, { $0.info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED }, { $0.info.channels = 1 },
        { $0.info.bpf = 2 },
      ] {
        var buffer = try sound(claiming: change)
        buffer.pts = 0
        #expect(!buffer.hasSamples(info) && buffer.clipped(to: Segment(), info) == nil)
      }
    }

    @Test(arguments: [(63, 48000, true), (64, 48000, false), (1, 1_536_000, true), (1, 2_147_483_647, false)])
    func soundThatGStreamerCannotConvertIsKnown(_ channels: Int, _ rate: Int, _ isConvertible: Bool) throws {
      let caps = try #require(
        Caps("audio/x-raw,format=S16LE,rate=\(rate),channels=\(channels),layout=interleaved,channel-mask=(bitmask)0"))
      #expect(try #require(caps.audio).isConvertible == isConvertible)
    }

    // MARK: On their way

    /// How many buffers of a pipeline pass a guarded pad, and how often it is told why not.
    private func passes(_ buffers: [Buffer], _ caps: String?, asList: Bool = false) throws -> (count: Int, errors: [String]) {
      let pad = try #require(gst_pad_new("src", GST_PAD_SRC)), sink = try #require(gst_pad_new("sink", GST_PAD_SINK))
      defer {
        for pad in [pad, sink] {
          gst_pad_set_active(pad, 0)
          gst_object_unref(pad)
        }
      }
      let log = GuardLog()
      gst_pad_set_element_private(sink, Unmanaged.passUnretained(log).toOpaque())
      gst_pad_set_chain_function_full(
        sink,
        { pad, _, buffer in
          gst_buffer_unref(buffer)
          gst_pad_get_element_private(pad).map { Unmanaged<GuardLog>.fromOpaque($0).takeUnretainedValue().count += 1 }
          return GST_FLOW_OK
        }, nil, nil)
      Pad(borrowing: pad).guardRawData { [log] in log.errors.append($0.text) }
      for pad in [pad, sink] { gst_pad_set_active(pad, 1) }
      gst_pad_link(pad, sink)
      gst_pad_push_event(pad, gst_event_new_stream_start("a"))
      if let caps = caps.flatMap({ Caps($0) }) { gst_pad_push_event(pad, gst_event_new_caps(caps.gst)) }
      var segment = Segment().gst
      gst_pad_push_event(pad, gst_event_new_segment(&segment))
      if asList {
        let list = gst_buffer_list_new()
        for buffer in buffers { gst_buffer_list_insert(list, -1, buffer.release()) }
        gst_pad_push_list(pad, list)
      } else {
        for buffer in buffers { gst_pad_push(pad, buffer.release()) }
      }
      return (log.count, log.errors)
    }

    private final class GuardLog: @unchecked Sendable {
      var count = 0
      var errors: [String] = []
    }

    @Test(arguments: [false, true]) func onlyWholeFramesPassAGuardedPad(_ asList: Bool) throws {
      let whole = try #require(Buffer(size: 8)), small = try #require(Buffer(size: 7))
      let passed = try passes([small, whole, small, whole, small], Self.grey, asList: asList)
      #expect(passed.count == 2)
      #expect(passed.errors.count == 1 && passed.errors.first?.contains("7 bytes") == true)
    }

    @Test(arguments: [("LE", [255, 3], true), ("LE", [0, 4], false), ("BE", [3, 255], true), ("BE", [4, 0], false)])
    func framesOfMoreBitsThanTheirFormatDoNotPass(_ end: String, _ sample: [UInt8], _ passes: Bool) throws {
      let caps = "video/x-raw,format=I420_10\(end),width=8,height=2,framerate=25/1"
      let size = try info(caps).size
      // The last of V.
      var bytes = [UInt8](repeating: 0, count: size)
      let place = Int(try info(caps).gst.offset.2) + 6
      bytes.replaceSubrange(place..<place + 2, with: sample)
      let passed = try self.passes([#require(Buffer(bytes: bytes))], caps)
      #expect(passed.count == (passes ? 1 : 0) && passed.errors.isEmpty == passes)
    }

    @Test func soundOfOtherMetadataDoesNotPass() throws {
      let passed = try passes([sound { _ in }, sound { $0.samples = .max }], Self.sound)
      #expect(passed.count == 1 && passed.errors.count == 1)
    }

    @Test func buffersWithoutCapsDoNotPassAndCapsThatNobodyConvertsNeither() throws {
      let buffer = try #require(Buffer(size: 400))
      #expect(try passes([buffer], nil).count == 0)
      let wide = "audio/x-raw,format=S16LE,rate=48000,channels=64,layout=interleaved,channel-mask=(bitmask)0"
      let passed = try passes([buffer, buffer], wide)
      #expect(passed.count == 0 && passed.errors.count == 1 && passed.errors.first?.contains("channels=(int)64") == true)
      // What is not raw is not looked at.
      #expect(try passes([buffer], "audio/mpeg").count == 1)
    }
  }
}
