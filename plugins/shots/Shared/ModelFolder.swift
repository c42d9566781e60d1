import CGStreamer
import GStreamerKit

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where the weights lie that come with the plugin.
enum ModelFolder {
  /// The folder of a model, such as `transnetv2`.
  ///
  /// Looked for are, in this order: `GST_SHOTS_MODELS`; `models` and `gst-shots/models` beside the plugin's file and in the
  /// four folders above it, so that both a build folder and a copy of the plugin beside its models work;
  /// `share/gst-shots/models` under `/usr/local` and `/usr`.
  ///
  /// - Parameters:
  ///   - file: one that the folder must have.
  ///   - property: by which users name another folder.
  /// - Throws: RESOURCE/NOT_FOUND with the places that were looked at.
  static func find(_ name: String, with file: String = "model.safetensors", property: String = "model-location") throws(ElementError)
    -> String
  {
    var places: [String] = []
    if let folder = getenv("GST_SHOTS_MODELS") { places.append(String(cString: folder)) }
    var folder = pluginFolder
    for _ in 0..<5 where !folder.isEmpty {
      places += [folder + "/models", folder + "/gst-shots/models"]
      folder = parent(folder)
    }
    places += ["/usr/local/share/gst-shots/models", "/usr/share/gst-shots/models"]
    for place in places where access("\(place)/\(name)/\(file)", R_OK) == 0 { return "\(place)/\(name)" }
    throw .resource(
      GST_RESOURCE_ERROR_NOT_FOUND,
      "The model \"\(name)\" is in none of these folders: \(places.joined(separator: ", ")). Set \(property), or GST_SHOTS_MODELS.")
  }

  /// The folder of the plugin's file, with links resolved: build folders are links.
  private static var pluginFolder: String {
    guard let file = Plugin.file(of: "shots"), let path = realpath(file, nil) else { return "" }
    defer { free(path) }
    return parent(String(cString: path))
  }

  private static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return String(path[..<slash])
  }
}
