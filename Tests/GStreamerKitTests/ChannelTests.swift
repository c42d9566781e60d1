import CGStreamer
import CGStreamerCheck
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct ChannelTests {
    @Test func keyUnitRequestsAreUnderstood() throws {
      let rig = try Rig("kitholder", [("frames", .uint(1)), ("marks", .bool(true))])
      try rig.push(0)
      try rig.push(1)
      var found = 0
      while let event = gst_harness_try_pull_event(rig.harness) {
        defer { gst_event_unref(event) }
        guard gst_video_event_is_force_key_unit(event) != 0 else { continue }
        var times: (GstClockTime, GstClockTime, GstClockTime) = (0, 0, 0)
        var headers: gboolean = 0
        #expect(gst_video_event_parse_downstream_force_key_unit(event, &times.0, &times.1, &times.2, &headers, nil) != 0)
        #expect(times == (0, .max, 0))
        #expect(headers != 0)
        found += 1
      }
      #expect(found == 1)
    }

    @Test func tablesOfContentsTravelBothWays() throws {
      let made = try Made(pipeline: "videotestsrc num-buffers=3 ! kittocs name=toc ! fakesink name=sink")
      let pad = try #require(gst_element_get_static_pad(try made.child("sink"), "sink"))
      let log = Log()
      log.watch(pad)
      gst_object_unref(pad)
      let said = made.play()
      #expect(log.entries.map(\.text).suffix(2) == ["toc", "eos"])
      let posted = said.filter { $0.type == GST_MESSAGE_TOC && $0.source == "toc" }
      #expect(posted.map(\.chapters) == [Chapters.table.chapters])
    }

    @Test func aLogTextIsBuiltOnlyIfSomebodyListens() throws {
      func built() -> Int { LogText.count.load(ordering: .sequentiallyConsistent) }
      let rig = try Rig("kitkinds")
      let before = built()
      try rig.push(0)
      #expect(built() == before)
      let heard = LogLines()
      heard.listen("kitkinds", GST_LEVEL_DEBUG)
      defer { heard.stop("kitkinds") }
      try rig.push(1)
      #expect(built() == before + 1)
      #expect(heard.lines == ["frame 1 of the stream"])
    }
  }
}
