import CGStreamer
import CGStreamerCheck
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct PadElementTests {
    private func stopped(_ made: Made) -> [Value?] {
      made.messages().filter { $0.structure?.name == "stopped" }.map { $0.structure?["runs"] }
    }

    @Test func alwaysPadsHaveTheTemplatesOfTheClass() throws {
      let made = try Made("kitgate")
      for name in ["sink", "src"] {
        let pad = try #require(gst_element_get_static_pad(made.element, name))
        let template = try #require(gst_pad_get_pad_template(pad))
        #expect(template == gst_element_get_pad_template(made.element, name))
        gst_object_unref(template)
        // The element's reference and ours.
        #expect(pad.pointee.object.object.ref_count == 2)
        gst_object_unref(pad)
      }
    }

    @Test func requestPadsAreNumbered() throws {
      let made = try Made("kitgate")
      let pads = try ["sink_%u", "sink_1", "sink_%u", "sink_7"].map { (name: String) in
        try #require(gst_element_request_pad_simple(made.element, name))
      }
      let names = pads.map { Pad(borrowing: $0).name }
      #expect(names == ["sink_0", "sink_1", "sink_2", "sink_7"])
      #expect(made.messages().map { $0.structure?["name"]?.string } == names)
      for pad in pads {
        gst_element_release_request_pad(made.element, pad)
        #expect(pad.pointee.object.object.ref_count == 1)
        gst_object_unref(pad)
      }
      #expect(made.messages().filter { $0.structure?.name == "pad-removed" }.count == 4)
      #expect(made.element.pointee.numsinkpads == 1)
    }

    @Test func anUnusedElementLeavesNothing() throws {
      let before = Gate.alive.load(ordering: .sequentiallyConsistent)
      let funeral = Funeral()
      let element = try #require(gst_element_factory_make("kitgate", nil))
      funeral.watch(UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self))
      gst_object_unref(element)
      #expect(funeral.attended == 1)
      #expect(Gate.alive.load(ordering: .sequentiallyConsistent) == before)
    }

    @Test func buffersAndEventsPass() throws {
      let rig = try Rig("kitgate")
      try rig.push(0)
      rig.push(Rig.mark("between"))
      try rig.push(1)
      #expect(rig.left == ["stream-start", "caps", "segment", "0", "between", "1"])
      #expect(rig.made.get("buffers") == .uint64(2))
    }

    @Test func aRequestPadOfARunningElementTakesData() throws {
      let rig = try Rig("kitgate")
      let pad = try #require(gst_element_request_pad_simple(rig.made.element, "sink_%u"))
      let second = try #require(gst_harness_new_with_element(rig.made.element, "sink_0", nil))
      gst_harness_set_src_caps_str(second, Rig.caps)
      #expect(gst_harness_push(second, try Rig.frame(5)) == GST_FLOW_OK)
      #expect(rig.pulled() == [5])
      // The harness gives the pad back.
      gst_harness_teardown(second)
      #expect(rig.made.element.pointee.numsinkpads == 1)
      gst_object_unref(pad)
    }

    @Test func aHeldEndOfStreamLeavesLaterWithItsNumber() throws {
      let rig = try Rig("kitgate")
      try rig.push(0)
      let end = gst_event_new_eos()
      let number = gst_event_get_seqnum(end)
      rig.push(end)
      #expect(rig.left.last == "0")
      #expect(rig.made.emit("open", returning: .bool(false)) == .bool(true))
      #expect(rig.sequenceNumbers.last?.text == "eos")
      #expect(rig.sequenceNumbers.last?.sequenceNumber == number)
      #expect(rig.made.emit("open", returning: .bool(false)) == .bool(false), "it is gone")
    }

    @Test func aFailingStartStopsTheStateChange() throws {
      let made = try Made("kitgate")
      made.set("failing", .bool(true))
      #expect(made.change(to: GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
      let said = made.messages()
      #expect(said.first { $0.type == GST_MESSAGE_ERROR }?.domain == gst_resource_error_quark())
      #expect(!said.contains { $0.structure?.name == "stopped" })
      made.set("failing", .bool(false))
      made.change(to: GST_STATE_PAUSED)
      made.change(to: GST_STATE_NULL)
      #expect(stopped(made) == [.int(0)])
    }

    @Test func startAndStopAreBalanced() throws {
      let made = try Made("kitgate")
      for _ in 0..<100 {
        made.change(to: GST_STATE_PLAYING)
        made.change(to: GST_STATE_NULL)
      }
      #expect(stopped(made) == Array(repeating: .int(0), count: 100))
    }

    /// GstElement fails to activate the pads after `start` has run: `stop` undoes it.
    @Test func stopRunsWhenTheRestOfTheStateChangeFails() throws {
      let made = try Made("kitgate")
      let pad = try #require(gst_element_get_static_pad(made.element, "sink"))
      gst_pad_set_activatemode_function_full(pad, { _, _, _, active in active == 0 ? 1 : 0 }, nil, nil)
      gst_object_unref(pad)
      #expect(made.change(to: GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
      #expect(stopped(made) == [.int(0)])
    }

    @Test func stoppingWakesAWaitingChain() throws {
      let made = try Made(pipeline: "videotestsrc ! kitgate blocking=true ! fakesink async=false")
      made.change(to: GST_STATE_PLAYING)
      var patience = Deadline(seconds: 10)
      var isWaiting = false
      while !isWaiting, patience.isAhead { isWaiting = made.messages().contains { $0.structure?.name == "waiting" } }
      #expect(isWaiting)
      made.change(to: GST_STATE_READY)
      #expect(made.errors().isEmpty)
    }

    @Test func anErrorInChainIsPosted() throws {
      let rig = try Rig("kitgate", [("throwing", .bool(true))])
      let funeral = Funeral()
      let buffer = try Rig.frame(0)
      funeral.watch(buffer)
      #expect(gst_harness_push(rig.harness, buffer) == GST_FLOW_ERROR)
      #expect(funeral.attended == 1)
      let error = try #require(rig.made.errors().first)
      #expect(error.domain == gst_stream_error_quark())
      #expect(error.code == Int32(GST_STREAM_ERROR_DECODE.rawValue))
      #expect(error.text == "The gate cannot read 8 bytes.")
    }

    @Test func queriesAreAnsweredByTheElementOrPassed() throws {
      let rig = try Rig("kitgate", [("latency", .uint64(5))])
      gst_harness_set_upstream_latency(rig.harness, 7)
      #expect(gst_harness_query_latency(rig.harness) == 12)
      var duration: gint64 = 0
      #expect(gst_pad_peer_query_duration(rig.harness.pointee.sinkpad, GST_FORMAT_TIME, &duration) != 0)
      #expect(duration == 42)
    }

    @Test func capsAreThoseOfTheOtherSideWhereTheTemplateSaysSo() throws {
      let rig = try Rig("kitgate", caps: nil)
      gst_harness_set_sink_caps_str(rig.harness, "video/x-raw,format=I420,width=64,height=64")
      let caps = try #require(gst_pad_peer_query_caps(rig.harness.pointee.srcpad, nil))
      let text = gst_caps_to_string(caps)
      gst_caps_unref(caps)
      #expect(text.map { String(cString: $0) }?.contains("I420") == true)
      g_free(text)
    }

    // MARK: Partners and tasks

    /// `kitlanes` with a harness on the video and one on the sound.
    private func lanes() throws -> (Rig, UnsafeMutablePointer<GstHarness>) {
      let rig = try Rig("kitlanes")
      let sound = try #require(gst_harness_new_with_element(rig.made.element, "audio_sink", "audio_src"))
      gst_harness_set_src_caps_str(sound, "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved")
      return (rig, sound)
    }

    @Test func eventsAndCapsGoToThePartnerOnly() throws {
      let (rig, sound) = try lanes()
      defer { gst_harness_teardown(sound) }
      rig.push(Rig.mark("video"))
      gst_harness_push_event(sound, Rig.mark("sound"))
      #expect(rig.left.contains("video") && !rig.left.contains("sound"))
      for (name, type) in [("sink", "video/x-raw"), ("audio_sink", "audio/x-raw")] {
        let pad = try #require(gst_element_get_static_pad(rig.made.element, name))
        defer { gst_object_unref(pad) }
        let caps = try #require(gst_pad_query_caps(pad, nil))
        defer { gst_caps_unref(caps) }
        #expect(gst_caps_get_size(caps) == 1)
        #expect(String(cString: gst_structure_get_name(gst_caps_get_structure(caps, 0))) == type)
      }
    }

    @Test func aPadWhosePartnerIsMissingHasNoOtherSide() throws {
      let rig = try Rig("kitlanes")
      let pad = try #require(gst_element_request_pad_simple(rig.made.element, "audio_sink"))
      defer {
        gst_element_release_request_pad(rig.made.element, pad)
        gst_object_unref(pad)
      }
      let links = try #require(gst_pad_iterate_internal_links(pad))
      defer { gst_iterator_free(links) }
      var value = GValue()
      #expect(gst_iterator_next(links, &value) == GST_ITERATOR_DONE)
    }

    @Test func allocationIsAskedOfThePartnersPeerForMoreBuffers() throws {
      let rig = try Rig("kitlanes", [("held", .uint(7))])
      let pad = try #require(gst_element_get_static_pad(rig.made.element, "sink"))
      defer { gst_object_unref(pad) }
      gst_harness_set_propose_allocator(rig.harness, nil, nil)
      gst_harness_add_propose_allocation_meta(rig.harness, gst_video_meta_api_get_type(), nil)
      let caps = try #require(gst_caps_from_string(Rig.caps))
      defer { gst_caps_unref(caps) }
      let query = try #require(gst_query_new_allocation(caps, 1))
      defer { gst_query_unref(query) }
      gst_query_add_allocation_pool(query, nil, 8, 2, 4)
      #expect(gst_pad_query(pad, query) != 0)
      var (size, low, high) = (UInt32(0), UInt32(0), UInt32(0))
      gst_query_parse_nth_allocation_pool(query, 0, nil, &size, &low, &high)
      #expect((low, high) == (9, 11))
    }

    @Test func aTaskRunsUntilItIsPausedAndAgainWhenStarted() throws {
      let (rig, sound) = try lanes()
      defer { gst_harness_teardown(sound) }
      for round in 1...3 {
        let buffer = try Rig.frame(round)
        #expect(gst_harness_push(sound, buffer) == GST_FLOW_OK)
        let out = try #require(gst_harness_pull(sound))
        #expect(out == buffer)
        gst_buffer_unref(out)
      }
      #expect(rig.made.change(to: GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS, "stop waits for the thread")
    }
  }
}
