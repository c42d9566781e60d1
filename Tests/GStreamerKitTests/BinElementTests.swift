import CGStreamer
import GStreamerKit
import Testing

extension GStreamerKitTests {
  @Suite struct BinElementTests {
    private func children(_ made: Made) -> Int { Int(UnsafeMutableRawPointer(made.element).assumingMemoryBound(to: GstBin.self).pointee.numchildren) }

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
  }
}
