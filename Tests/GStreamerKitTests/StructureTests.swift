import CGStreamer
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct StructureTests {
    static let whole = Structure(
      "whole",
      [
        ("flag", .bool(true)), ("int", .int(.min)), ("uint", .uint(.max)), ("int64", .int64(.min)), ("uint64", .uint64(.max)),
        ("double", .double(-0.25)), ("text", .string("Füße")), ("none", .string(nil)), ("words", .strings(["a", ""])),
        ("no-words", .strings([])), ("rate", .fraction(30000, 1001)), ("state", .enumeration(gst_state_get_type(), 4)),
      ])

    @Test func everyValueSurvivesAStructure() throws {
      let made = try #require(Self.whole.makeGstStructure())
      defer { gst_structure_free(made) }
      #expect(Structure(made) == Self.whole)
      #expect(Structure(made)["rate"] == .fraction(30000, 1001))
      #expect(Structure(made)["nothing"] == nil)
    }

    @Test func unknownTypesAreLeftOut() throws {
      var end: UnsafeMutablePointer<CChar>?
      let made = try #require(gst_structure_from_string("odd, a=(int)1, b=(float)0.5, c=(GstCaps)\"video/x-raw\"", &end))
      defer { gst_structure_free(made) }
      #expect(Structure(made) == Structure("odd", [("a", .int(1))]))
    }

    @Test func metadataSurvivesACopy() throws {
      let buffer = try Rig.frame(0)
      defer { gst_buffer_unref(buffer) }
      Holder.mark.add(Self.whole, to: buffer)
      Holder.mark.add(Structure("other", [("n", .int(2))]), to: buffer)
      let copy = try #require(gst_buffer_copy(buffer))
      defer { gst_buffer_unref(copy) }
      let read = Holder.mark.all(on: copy)
      // Custom metadata is a structure of its own name.
      #expect(read.map(\.name) == ["GstKitMarkMeta", "GstKitMarkMeta"])
      #expect(read.first?.fields.map(\.name).sorted() == Self.whole.fields.map(\.name).sorted())
      #expect(read.first?["rate"] == .fraction(30000, 1001))
      #expect(read.last?["n"] == .int(2))
      #expect(Metadata("GstKitNobodysMeta").all(on: copy) == [])
    }

    @Test func metadataPassesAConverter() throws {
      let made = try Made(
        pipeline: """
          videotestsrc num-buffers=4 ! video/x-raw,format=GRAY8,width=16,height=16,framerate=25/1 ! kitholder frames=1 marks=true !
          videoconvert ! video/x-raw,format=I420 ! fakesink name=sink sync=false signal-handoffs=true
          """)
      let log = MarkLog()
      let pad = try #require(gst_element_get_static_pad(try made.child("sink"), "sink"))
      log.watch(pad)
      gst_object_unref(pad)
      #expect(made.play().last?.type == GST_MESSAGE_EOS)
      #expect(log.marks == [[0], [1], [2], []])
    }
  }
}
