import CGStreamer
import CGStreamerCheck
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct FilterLifeTests {
    private var states: Int { Holder.statesAlive.load(ordering: .sequentiallyConsistent) }

    private func set(_ failure: Holder.Failure, on made: Made) {
      gst_util_set_object_arg(made.gobject, "failure", failure.rawValue)
    }

    @Test func anUnusedElementLeavesNothing() throws {
      let before = Kinds.alive.load(ordering: .sequentiallyConsistent)
      let funeral = Funeral()
      for _ in 0..<10 {
        let element = try #require(gst_element_factory_make("kitkinds", nil))
        let object = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self)
        #expect(g_object_is_floating(element) != 0)
        gst_object_ref_sink(element)
        #expect(object.pointee.ref_count == 1)
        funeral.watch(object)
        gst_object_unref(element)
      }
      #expect(funeral.attended == 10)
      #expect(Kinds.alive.load(ordering: .sequentiallyConsistent) == before)
    }

    @Test func stateLivesFromStartToStop() throws {
      let made = try Made("kitholder")
      #expect(states == 0)
      for _ in 0..<100 {
        made.change(to: GST_STATE_PAUSED)
        #expect(states == 1)
        made.change(to: GST_STATE_READY)
        #expect(states == 0)
        made.change(to: GST_STATE_NULL)
      }
    }

    @Test func aFailingStartStopsTheStateChange() throws {
      let made = try Made("kitholder")
      set(.start, on: made)
      #expect(made.change(to: GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
      #expect(states == 0)
      let errors = made.errors()
      #expect(errors.map(\.text) == ["No file \"model.bin\"."])
      #expect(errors.first?.domain == gst_resource_error_quark())
      #expect(errors.first?.code == Int32(GST_RESOURCE_ERROR_NOT_FOUND.rawValue))
      set(.none, on: made)
      #expect(made.change(to: GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE)
      #expect(states == 1)
    }

    @Test func failingCapsAreRefusedWithTheReason() throws {
      let rig = try Rig("kitholder", caps: nil)
      set(.configure, on: rig.made)
      gst_harness_set_src_caps_str(rig.harness, Rig.caps)
      #expect(try rig.push(0) == GST_FLOW_NOT_NEGOTIATED)
      let errors = rig.made.errors()
      #expect(errors.first?.text == "4 is too narrow.")
      #expect(errors.first?.domain == gst_core_error_quark())
      #expect(errors.first?.code == Int32(GST_CORE_ERROR_NEGOTIATION.rawValue))
    }

    @Test func aStrangeErrorIsAStreamError() throws {
      let rig = try Rig("kitholder")
      set(.see, on: rig.made)
      let funeral = Funeral()
      let buffer = try Rig.frame(0)
      funeral.watch(buffer)
      #expect(gst_harness_push(rig.harness, buffer) == GST_FLOW_ERROR)
      #expect(funeral.attended == 1)
      let error = try #require(rig.made.errors().first)
      #expect(error.domain == gst_stream_error_quark())
      #expect(error.code == Int32(GST_STREAM_ERROR_FAILED.rawValue))
      #expect(error.text.contains("Strange"))
    }

    @Test func aFailingFinishIsReportedAndTheStreamEnds() throws {
      let rig = try Rig("kitholder", [("frames", .uint(2))])
      try rig.push(0)
      set(.finish, on: rig.made)
      rig.push(gst_event_new_eos())
      #expect(rig.left.suffix(2) == ["0", "eos"])
      let error = try #require(rig.made.errors().first)
      #expect(error.domain == gst_library_error_quark())
      #expect(error.code == Int32(GST_LIBRARY_ERROR_FAILED.rawValue))
    }

    @Test func aFrameSmallerThanItsCapsIsAnError() throws {
      let rig = try Rig("kitholder", [("maps", .bool(true))])
      #expect(try rig.push(0, size: 7) == GST_FLOW_ERROR)
      let error = try #require(rig.made.errors().first)
      #expect(error.domain == gst_stream_error_quark())
      #expect(error.text.contains("7 bytes") && error.text.contains("4×2 GRAY8"))
    }

    @Test func anErrorStopsAPipeline() throws {
      let made = try Made(pipeline: "videotestsrc ! kitholder failure=see ! fakesink")
      #expect(made.play().last?.type == GST_MESSAGE_ERROR)
      #expect(states == 0)
    }
  }
}
