import CGStreamer
import Foundation
import Testing

extension Shots {
  @Suite("Version") struct VersionTests {
    @Test("GStreamer shows the version that the project's file VERSION names")
    func plugin() throws {
      try Plugin.require()
      let file = try String(contentsOfFile: Plugin.root + "/VERSION", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
      let plugin = try #require(gst_registry_find_plugin(gst_registry_get(), "shots"))
      defer { gst_object_unref(UnsafeMutableRawPointer(plugin)) }
      #expect(String(cString: gst_plugin_get_version(plugin)) == file)
    }
  }
}
