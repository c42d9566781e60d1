import CGStreamer
import CGStreamerCheck
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct FilterTests {
    static func holding(_ frames: UInt32, marks: Bool = false) throws -> Rig {
      try Rig("kitholder", [("frames", .uint(frames)), ("marks", .bool(marks))])
    }

    @Test func buffersPassUntouched() throws {
      let rig = try Rig("kitholder", [("maps", .bool(true))])
      let buffer = try Rig.frame(0, level: 9)
      gst_harness_push(rig.harness, gst_buffer_ref(buffer))
      let out = try #require(gst_harness_try_pull(rig.harness))
      #expect(out == buffer)
      gst_buffer_unref(out)
      #expect(buffer.pointee.mini_object.refcount == 1)
      gst_buffer_unref(buffer)
    }

    @Test func heldBuffersLeaveInOrder() throws {
      let rig = try Self.holding(2)
      for index in 0..<5 { try rig.push(index) }
      #expect(rig.pulled() == [0, 1, 2])
      rig.push(gst_event_new_eos())
      #expect(rig.pulled() == [3, 4])
      #expect(rig.left.suffix(3) == ["3", "4", "eos"])
    }

    @Test func eventsKeepTheirPlaceAmongHeldBuffers() throws {
      let rig = try Self.holding(2)
      let start = rig.left
      #expect(start == ["stream-start", "caps", "segment"])
      for index in 0..<4 {
        try rig.push(index)
        rig.push(Rig.mark("after-\(index)"))
      }
      #expect(rig.left.dropFirst(3) == ["0", "after-0", "1", "after-1"])
      rig.push(gst_event_new_eos())
      #expect(rig.left.dropFirst(3) == ["0", "after-0", "1", "after-1", "2", "after-2", "3", "after-3", "eos"])
    }

    @Test func eventsPassAtOnceWhenNothingIsHeld() throws {
      let rig = try Self.holding(0)
      try rig.push(0)
      rig.push(Rig.mark("now"))
      #expect(rig.left.suffix(2) == ["0", "now"])
    }

    /// What another callback does must not let frames go that `see` holds.
    @Test func anEventDoesNotEndAHold() throws {
      let rig = try Self.holding(3)
      var segment = GstSegment()
      gst_segment_init(&segment, GST_FORMAT_TIME)
      segment.stop = 1_000_000_000
      rig.push(gst_event_new_segment(&segment))
      for index in 0..<3 { try rig.push(index) }
      rig.push(Rig.mark("tell-me"))
      // Outside of the segment: passes unseen, behind the others.
      try rig.push(100)
      #expect(rig.pulled() == [])
      rig.push(gst_event_new_eos())
      #expect(rig.pulled() == [0, 1, 2, 100])
    }

    @Test func marksArePlacedExactly() throws {
      let rig = try Self.holding(2, marks: true)
      for index in 0..<4 { try rig.push(index) }
      #expect(rig.left.dropFirst(3) == ["mark", "GstForceKeyUnit", "0", "mark", "GstForceKeyUnit", "1"])
      let buffer = try #require(gst_harness_try_pull(rig.harness))
      #expect(Holder.mark.all(on: buffer).map { $0["frame"] } == [.uint64(0)])
      gst_buffer_unref(buffer)
      let told = rig.made.messages().filter { $0.structure?.name == "mark" }
      #expect(told.map { $0.structure?["frame"] } == [.uint64(0), .uint64(1)])
    }

    @Test func whatIsPendingAtTheEndIsDone() throws {
      let rig = try Self.holding(1)
      try rig.push(0)
      rig.push(gst_event_new_eos())
      #expect(rig.made.messages().contains { $0.structure == Structure("finished", [("end-of-stream", .bool(true))]) })
    }

    @Test func aCapsChangeWaitsInItsPlace() throws {
      let rig = try Self.holding(2)
      try rig.push(0)
      try rig.push(1)
      gst_harness_set_src_caps_str(rig.harness, "video/x-raw,format=GRAY8,width=8,height=2,framerate=25/1")
      try rig.push(2, size: 16)
      // Frames of both formats are decided together: nothing is over, and only the oldest frame leaves.
      #expect(rig.left.dropFirst(3).filter { $0 != "segment" } == ["0"])
      #expect(!rig.made.messages().contains { $0.structure?.name == "finished" })
      rig.push(gst_event_new_eos())
      #expect(rig.left.dropFirst(3).filter { $0 != "segment" } == ["0", "1", "caps", "2", "eos"])
    }

    @Test func aSegmentsEndLetsEverythingGoFirst() throws {
      let rig = try Self.holding(2)
      try rig.push(0)
      rig.push(gst_event_new_segment_done(GST_FORMAT_TIME, 40_000_000))
      #expect(rig.left.suffix(2) == ["0", "segment-done"])
    }

    @Test func aDrainQueryLetsEverythingGo() throws {
      let rig = try Self.holding(2)
      try rig.push(0)
      let query = try #require(gst_query_new_drain())
      gst_pad_peer_query(rig.harness.pointee.srcpad, query)
      gst_query_unref(query)
      #expect(rig.pulled() == [0])
    }

    @Test func aFlushDiscardsWhatIsHeld() throws {
      let funeral = Funeral()
      let rig = try Self.holding(5)
      for index in 0..<3 {
        let buffer = try Rig.frame(index)
        funeral.watch(buffer)
        gst_harness_push(rig.harness, buffer)
        rig.push(Rig.mark("after-\(index)"))
      }
      #expect(funeral.attended == 0)
      rig.push(gst_event_new_flush_start())
      rig.push(gst_event_new_flush_stop(1))
      #expect(funeral.attended == 3)
      #expect(rig.pulled() == [])
      #expect(!rig.left.contains("after-0"))
    }

    @Test func stoppingDiscardsWhatIsHeld() throws {
      let funeral = Funeral()
      let rig = try Self.holding(5)
      let buffer = try Rig.frame(0)
      funeral.watch(buffer)
      gst_harness_push(rig.harness, buffer)
      rig.made.change(to: GST_STATE_READY)
      #expect(funeral.attended == 1)
    }

    @Test func aJumpInterrupts() throws {
      let rig = try Self.holding(0)
      try rig.push(0)
      try rig.push(1)
      #expect(rig.made.get("interruptions") == .uint64(0))
      let far = try Rig.frame(100)
      gst_buffer_set_flags(far, GST_BUFFER_FLAG_DISCONT)
      gst_harness_push(rig.harness, far)
      #expect(rig.made.get("interruptions") == .uint64(1))
    }

    @Test func aNegativeRatePassesUnseen() throws {
      let rig = try Self.holding(2)
      var segment = GstSegment()
      gst_segment_init(&segment, GST_FORMAT_TIME)
      segment.rate = -1
      segment.stop = 1_000_000_000
      rig.push(gst_event_new_segment(&segment))
      try rig.push(0)
      #expect(rig.pulled() == [0])
      #expect(rig.made.get("seen") == .uint64(0))
    }

    // MARK: Latency

    @Test func latencyIsAdded() throws {
      let rig = try Self.holding(3)
      gst_harness_set_upstream_latency(rig.harness, 7)
      #expect(gst_harness_query_latency(rig.harness) == 120_000_007)
    }

    @Test func aChangedLatencyIsPosted() throws {
      let rig = try Self.holding(3)
      func posted() -> Int { rig.made.messages().filter { $0.type == GST_MESSAGE_LATENCY }.count }
      #expect(posted() == 1)
      try rig.push(0)
      #expect(posted() == 0)
      rig.made.set("frames", .uint(1))
      try rig.push(1)
      #expect(posted() == 1)
      #expect(gst_harness_query_latency(rig.harness) == 40_000_000)
    }

    @Test func poolsGrowByWhatIsHeld() throws {
      // Latency, buffers beyond those that the pool has.
      let cases: [(UInt64, UInt32)] = [(0, 0), (80_000_000, 2), (80_000_001, 3), (.max - 1, 128)]
      for (latency, more) in cases {
        let rig = try Rig("kitholder", [("extra-latency", .uint64(latency))])
        gst_harness_add_propose_allocation_meta(rig.harness, gst_video_meta_api_get_type(), nil)
        let caps = gst_caps_from_string(Rig.caps)
        let query = try #require(gst_query_new_allocation(caps, 1))
        gst_caps_unref(caps)
        gst_query_add_allocation_pool(query, nil, 8, 2, 4)
        #expect(gst_pad_peer_query(rig.harness.pointee.srcpad, query) != 0)
        var size: UInt32 = 0
        var low: UInt32 = 0
        var high: UInt32 = 0
        gst_query_parse_nth_allocation_pool(query, 0, nil, &size, &low, &high)
        gst_query_unref(query)
        #expect([size, low, high] == [8, 2 + more, 4 + more], "\(latency)")
      }
    }

    @Test func anAbsurdLatencyIsNoHarm() throws {
      let rig = try Rig("kitholder", [("extra-latency", .uint64(.max - 1))])
      gst_harness_set_upstream_latency(rig.harness, 7)
      #expect(gst_harness_query_latency(rig.harness) == GstClockTime.max - 1)
      try rig.push(0)
      #expect(rig.pulled() == [0])
    }

    // MARK: Siblings

    @Test func downstreamEventsOfSiblingsAreReceived() throws {
      let rig = try Self.holding(0)
      let structure = try #require(Structure("tell-me", [("n", .int(3))]).makeGstStructure())
      rig.push(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, structure))
      try rig.push(0)
      #expect(rig.made.messages().contains { $0.structure == Structure("told", [("n", .int(3))]) })
    }

    @Test func upstreamEventsOfSiblingsEndHere() throws {
      let rig = try Self.holding(0)
      for (name, isForwarded) in [("for-holder", false), ("for-another", true)] {
        let structure = try #require(Structure(name).makeGstStructure())
        gst_harness_push_upstream_event(rig.harness, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure))
        var reached = false
        while let event = gst_harness_try_pull_upstream_event(rig.harness) {
          if event.pointee.type == GST_EVENT_CUSTOM_UPSTREAM { reached = true }
          gst_event_unref(event)
        }
        #expect(reached == isForwarded, "\(name)")
      }
    }
  }
}
