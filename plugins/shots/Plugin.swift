import CGStreamer
import CVersion
import GStreamerKit

/// The project's, from the file VERSION: "0.8.0".
private let version = String(String(cString: cversion_text).prefix { !$0.isWhitespace })

private let plugin = Plugin(
  name: "shots", description: "Finds shot boundaries in live video and acts on them", version: version, license: "MIT/X11",
  package: "gst-shots", origin: "https://github.com/gst-shots/gst-shots"
) { plugin in
  Plugin.register(ShotDetect.self, in: plugin) && Plugin.register(ShotLog.self, in: plugin) && Plugin.register(Defade.self, in: plugin)
    && Plugin.register(ShotClip.self, in: plugin) && Plugin.register(SceneExtend.self, in: plugin) ? 1 : 0
}

/// What GStreamer looks for in `libgstshots.so`.
@c(gst_plugin_shots_get_desc)
public func gstPluginShotsDescription() -> UnsafePointer<GstPluginDesc>? { plugin.descriptor }
