import CGStreamer
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct BinElementTests {
    private func children(_ made: Made) -> Int {
      Int(UnsafeMutableRawPointer(made.element).assumingMemoryBound(to: GstBin.self).pointee.numchildren)
    }

    @Test func aBinIsBuiltOnce() throws {
      let made = try Made("kitscaler")
      #expect(children(made) == 0)
      for _ in 0..<3 {
        #expect(made.change(to: GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS)
        #expect(children(made) == 3)
        made.change(to: GST_STATE_NULL)
      }
    }

    @Test func anUnusedBinLeavesNothing() throws {
      let funeral = Funeral()
      let element = try #require(gst_element_factory_make("kitscaler", nil))
      funeral.watch(UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self))
      gst_object_unref(element)
      #expect(funeral.attended == 1)
    }

    @Test func padsExistBeforeTheChildrenWithTheTemplatesOfTheClass() throws {
      let made = try Made("kitscaler")
      let pad = try #require(gst_element_get_static_pad(made.element, "sink"))
      let template = try #require(gst_pad_get_pad_template(pad))
      #expect(template == gst_element_get_pad_template(made.element, "sink"))
      gst_object_unref(template)
      gst_object_unref(pad)
    }

    @Test func aBinRunsInAPipeline() throws {
      let made = try Made(
        pipeline: """
          videotestsrc num-buffers=5 ! video/x-raw,format=RGB,width=32,height=32 ! kitscaler name=s !
          video/x-raw,format=I420,width=16,height=8 ! fakesink
          """)
      let said = made.play()
      #expect(said.last?.type == GST_MESSAGE_EOS)
      #expect(!said.contains { $0.structure?.name == "finished" }, "the bin keeps this message")
      #expect(said.contains { $0.type == GST_MESSAGE_STATE_CHANGED && $0.source == "holder" }, "and passes others on")
    }

    @Test func aMissingElementIsNamed() throws {
      let made = try Made("kitscaler")
      made.set("also", .string("nosuchelement"))
      #expect(made.change(to: GST_STATE_READY) == GST_STATE_CHANGE_FAILURE)
      let error = try #require(made.errors().first)
      #expect(error.domain == gst_core_error_quark())
      #expect(error.code == Int32(GST_CORE_ERROR_MISSING_PLUGIN.rawValue))
      #expect(error.text.contains("\"nosuchelement\""))
    }

    @Test func afterAFailureTheBinIsBuiltAfresh() throws {
      let made = try Made("kitscaler")
      made.set("also", .string("nosuchelement"))
      #expect(made.change(to: GST_STATE_READY) == GST_STATE_CHANGE_FAILURE)
      #expect(children(made) == 0)
      made.set("also", .string("identity"))
      #expect(made.change(to: GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS)
      #expect(children(made) == 4)
    }

    @Test func aMissingPadIsAnError() throws {
      let made = try Made("kithollow")
      #expect(made.change(to: GST_STATE_READY) == GST_STATE_CHANGE_FAILURE)
      let error = try #require(made.errors().first)
      #expect(error.code == Int32(GST_CORE_ERROR_PAD.rawValue))
      #expect(error.text.contains("\"side\""))
    }

    @Test func childrenFollowTheSettings() throws {
      let made = try Made("kitscaler")
      func borders() throws -> Value? {
        var value = GValue()
        g_object_get_property(UnsafeMutableRawPointer(try made.child("scale")).assumingMemoryBound(to: GObject.self), "add-borders", &value)
        defer { g_value_unset(&value) }
        return Value(&value)
      }
      made.set("borders", .bool(false))
      made.change(to: GST_STATE_READY)
      #expect(try borders() == .bool(false))
      made.set("borders", .bool(true))
      #expect(try borders() == .bool(true))
    }

    // MARK: Pads that are asked for

    private func names(_ said: [Said]) -> [String] { said.compactMap { $0.structure?.name } }

    @Test func padsThatAreAskedForWorkHoweverEarly() throws {
      let source = "videotestsrc num-buffers=5 ! video/x-raw,width=16,height=16 !"
      let made = try Made(pipeline: "\(source) kitcounter name=c \(source) c.more_0 \(source) c.more_%u")
      let said = made.play()
      #expect(said.last?.type == GST_MESSAGE_EOS)
      let counter = try made.child("c")
      #expect(gst_element_get_static_pad(counter, "more_1").map { gst_object_unref($0) } != nil)
      #expect(names(said).filter { $0 == "started" }.count == 1)
      var value = GValue()
      g_object_get_property(UnsafeMutableRawPointer(counter).assumingMemoryBound(to: GObject.self), "buffers", &value)
      #expect(Value(&value) == .uint64(15))
      g_value_unset(&value)
    }

    @Test func padsThatAreAskedForLaterWorkToo() throws {
      let made = try Made("kitcounter")
      made.change(to: GST_STATE_PAUSED)
      let pad = try #require(gst_element_request_pad_simple(made.element, "more_%u"))
      #expect(children(made) == 2)
      let caps = try #require(Caps("video/x-raw"))
      let events = [gst_event_new_stream_start("a"), gst_event_new_caps(caps.gst)]
      for event in events { gst_pad_send_event(pad, event) }
      var segment = GstSegment()
      gst_segment_init(&segment, GST_FORMAT_TIME)
      gst_pad_send_event(pad, gst_event_new_segment(&segment))
      made.change(to: GST_STATE_PLAYING)
      #expect(gst_pad_chain(pad, gst_buffer_new()) == GST_FLOW_OK)
      #expect(made.get("buffers") == .uint64(1) && made.get("segments") == .uint64(1))
      gst_element_release_request_pad(made.element, pad)
      gst_object_unref(pad)
      #expect(children(made) == 1)
      #expect(names(made.messages()).contains("removed"))
    }

    @Test func aPadThatCannotBeServedIsRefused() throws {
      let made = try Made("kitcounter")
      made.change(to: GST_STATE_READY)
      made.set("chain", .string("nosuchelement"))
      #expect(gst_element_request_pad_simple(made.element, "more_%u") == nil)
      #expect(made.errors().first?.code == Int32(GST_CORE_ERROR_MISSING_PLUGIN.rawValue))
    }

    @Test func descriptionsThatDoNotParseAreErrorsOfTheirOwn() throws {
      for (chain, domain, code) in [
        ("nosuchelement", gst_core_error_quark(), Int32(GST_CORE_ERROR_MISSING_PLUGIN.rawValue)),
        ("identity nosuchproperty=1", gst_library_error_quark(), Int32(GST_LIBRARY_ERROR_SETTINGS.rawValue)),
        ("identity ! !", gst_library_error_quark(), Int32(GST_LIBRARY_ERROR_SETTINGS.rawValue)),
      ] {
        let made = try Made("kitcounter")
        made.set("chain", .string(chain))
        #expect(made.change(to: GST_STATE_READY) == GST_STATE_CHANGE_FAILURE)
        let error = try #require(made.errors().first)
        #expect(error.domain == domain && error.code == code, "\(error)")
        #expect(error.text.contains("\"\(chain)\""))
      }
    }

    // MARK: Life

    @Test func startAndStopFrameEveryLife() throws {
      let made = try Made("kitcounter")
      for _ in 0..<2 {
        made.change(to: GST_STATE_PAUSED)
        made.change(to: GST_STATE_READY)
        #expect(names(made.messages()).filter { !$0.contains("removed") } == ["started", "interrupted", "stopped"])
      }
      made.set("failing", .bool(true))
      #expect(made.change(to: GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
      let said = made.messages()
      #expect(said.contains { $0.text == "The counter is stuck." } && !names(said).contains("stopped"))
    }

    @Test func aBinWhosePrerollFailsIsStoppedToo() throws {
      let made = try Made(pipeline: "videotestsrc ! kitcounter name=counter chain=\"identity error-after=1 ! fakesink\"")
      #expect(made.change(to: GST_STATE_PAUSED) == GST_STATE_CHANGE_ASYNC)
      #expect(gst_element_get_state(made.element, nil, nil, 5_000_000_000) != GST_STATE_CHANGE_SUCCESS)
      // It has reached READY only, and its children run.
      #expect(gst_element_set_state(try made.child("counter"), GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS)
      #expect(names(made.messages()).filter { !$0.contains("removed") } == ["started", "interrupted", "stopped"])
      made.change(to: GST_STATE_NULL)
    }

    @Test func aWatcherMayPutSomethingElseInPlace() throws {
      let made = try Made(
        pipeline: "videotestsrc num-buffers=1 ! kitcounter chain=\"identity ! fakesink name=end enable-last-sample=true\"")
      #expect(made.change(to: GST_STATE_PAUSED) == GST_STATE_CHANGE_ASYNC)
      #expect(gst_element_get_state(made.element, nil, nil, 5_000_000_000) == GST_STATE_CHANGE_SUCCESS)
      var value = GValue()
      g_object_get_property(UnsafeMutableRawPointer(try made.child("end")).assumingMemoryBound(to: GObject.self), "last-sample", &value)
      let buffer = try #require(gst_sample_get_buffer(OpaquePointer(g_value_get_boxed(&value))))
      #expect(buffer.pointee.pts == 1_000_000_000)
      g_value_unset(&value)
    }
  }
}
