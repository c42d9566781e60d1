import CGStreamer
import CGStreamerCheck
import GStreamerKit
import Testing
import Timing

extension GStreamerKitTests {
  /// Values that own objects of GStreamer: what they count, and when they copy.
  @Suite struct ValueTests {
    private static let note = Metadata("KitNoteMeta")

    private func count(_ buffer: Buffer) -> Int32 { buffer.gst?.pointee.mini_object.refcount ?? -1 }

    @Test func copiesShareOneReference() throws {
      let one = try #require(Buffer(bytes: [1, 2, 3]))
      let two = one
      #expect(count(one) == 1)
      #expect(one.gst == two.gst)
    }

    @Test func whoWritesGetsOneOfHisOwnOverTheSameMemory() throws {
      var one = try #require(Buffer(bytes: [1, 2, 3]))
      one.pts = 7
      let before = one.gst
      one.duration = 5
      #expect(one.gst == before, "nobody else holds it")
      let two = one
      one.pts = 8
      #expect(two.pts == 7 && two.gst == before)
      #expect(one.pts == 8 && one.duration == 5 && one.gst != before)
      #expect(one.bytes == [1, 2, 3])
      one.add(Structure("note"), as: Self.note)
      #expect(one.carries(Self.note) && !two.carries(Self.note))
      one.removeAll(Self.note)
      #expect(!one.carries(Self.note))
    }

    @Test func aBufferThatGStreamerHoldsIsCopiedToo() throws {
      var one = try #require(Buffer(bytes: [1]))
      let other = try #require(gst_buffer_ref(one.gst))
      defer { gst_buffer_unref(other) }
      one.pts = 3
      #expect(other.pointee.pts == .max)
      #expect(one.pts == 3)
    }

    @Test func givingAwayTakesTheOnlyReference() throws {
      let funeral = Funeral()
      let one = try #require(Buffer(bytes: [1]))
      funeral.watch(try #require(one.gst))
      let given = (consume one).release()
      let raw = try #require(given)
      #expect(raw.pointee.mini_object.refcount == 1)
      gst_buffer_unref(raw)
      #expect(funeral.attended == 1)
    }

    @Test func givingAwayLeavesWhatOthersHold() throws {
      let one = try #require(Buffer(bytes: [1]))
      let kept = one
      let raw = try #require(one.release())
      #expect(kept.gst == raw && raw.pointee.mini_object.refcount == 2)
      gst_buffer_unref(raw)
      #expect(count(kept) == 1)
    }

    /// Else an element behind would have to copy the frame before it can write into it.
    @Test(arguments: ["kitgate", "kitholder"]) func whatPassesArrivesWithOneReference(factory: String) throws {
      let rig = try Rig(factory)
      for index in 0..<3 { try rig.push(index) }
      rig.push(gst_event_new_eos())
      var pulled = 0
      while let buffer = gst_harness_try_pull(rig.harness) {
        #expect(buffer.pointee.mini_object.refcount == 1)
        gst_buffer_unref(buffer)
        pulled += 1
      }
      #expect(pulled == 3)
    }

    @Test func aPadOutlivesItsPlaceInTheElement() throws {
      let made = try Made("kitgate")
      let raw = try #require(gst_element_request_pad_simple(made.element, "sink_%u"))
      let pad = Pad(borrowing: raw)
      gst_element_release_request_pad(made.element, raw)
      gst_object_unref(raw)
      #expect(pad.name == "sink_0")
      #expect(!pad.isLinked)
      #expect(pad.gst.pointee.object.object.ref_count == 1)
    }

    @Test func partsShareTheMemory() throws {
      let whole = try #require(Buffer(bytes: Array(0..<10)))
      let part = try #require(whole.part(3..<6))
      #expect(part.bytes == [3, 4, 5])
      #expect(whole.part(8..<11) == nil)
      #expect(whole.part(4..<4) == nil)
      #expect(whole.bytes(8..<20) == [8, 9])
      #expect(whole.bytes(12..<20) == [])
    }

    @Test func segmentsTellTimes() throws {
      var gst = GstSegment()
      gst_segment_init(&gst, GST_FORMAT_TIME)
      (gst.start, gst.stop, gst.time, gst.base) = (100, 200, 1000, 50)
      let segment = Segment(gst)
      #expect(segment.runningTime(of: 110) == 60)
      #expect(segment.streamTime(of: 110) == 1010)
      #expect(segment.runningTime(of: 99) == nil)
      #expect(segment.position(of: 60) == 110)
      #expect(segment.later(by: 5).runningTime(of: 110) == 65)
      #expect(segment.earlier(by: 80).base == 0)
      #expect(segment.opened?.stop == nil)
      #expect(segment.opened?.opened == nil)
      #expect(segment.limited(to: 120..<130).start == 120)
      let event = try #require(Event.segment(segment))
      #expect(event.segment == segment)
      gst_segment_init(&gst, GST_FORMAT_BYTES)
      #expect(Segment(gst).runningTime(of: 0) == nil)
    }

    @Test func eventsSayWhatTheyCarry() throws {
      let gap = try #require(Event.gap(5, duration: nil))
      #expect(gap.gap?.start == 5 && gap.gap?.duration == nil)
      let asked = KeyUnit(pts: 1, streamTime: nil, runningTime: 3, allHeaders: false, count: 4)
      #expect(try #require(Event.keyUnit(asked)).keyUnit == asked)
      #expect(try #require(Event.custom(Structure("fact", [("n", .int(1))]))).structure?["n"] == .int(1))
      #expect(gap.caps == nil && gap.segment == nil && gap.keyUnit == nil)
      let end = try #require(Event.endOfStream)
      #expect(end.replaced(by: gap).sequenceNumber == end.sequenceNumber)
      #expect(end.replaced(by: nil).type == GST_EVENT_EOS)
    }

    @Test func capsSayWhatTheyAre() throws {
      let caps = try #require(Caps("video/x-raw, format=I420, width=16, height=8, framerate=30000/1001"))
      #expect(caps.video?.width == 16)
      #expect(caps.audio == nil)
      #expect(caps.mediaType == "video/x-raw" && caps.int("height") == 8)
      #expect(caps.fraction("framerate")?.numerator == 30000)
      #expect(caps.int("depth") == nil)
      #expect(caps == Caps(caps.description))
      #expect(caps != Caps("video/x-raw"))
      #expect(Caps("ANY")?.mediaType == nil)
      #expect(Caps("no caps, at all") == nil)
    }
  }
}
