import CGStreamer
import GStreamerKit
import Tensors

/// What the log says of the library that networks compute with.
enum ComputeLog {
  /// - Parameters:
  ///   - asked: what the property says.
  ///   - taken: what is computed in.
  static func tell(_ debug: DebugCategory, _ handle: ElementHandle, asked: String, taken: String) {
    let library = ComputeLibrary.current
    if let name = ComputeLibrary.unknownName {
      debug.log(GST_LEVEL_WARNING, handle, "\(ComputeLibrary.variable)=\(name) names no library: \(library.name) computes")
    }
    if ComputeLibrary.hasOnlyFloat32, asked != "auto", asked != taken {
      debug.log(GST_LEVEL_WARNING, handle, "precision=\(asked) is computed in \(taken): \(library.name) has nothing else here")
    }
    let reason =
      switch asked {
      case "auto": "the fastest with \(ComputeLibrary.instructions)"
      case taken: "asked for"
      default: "\(asked) is not to be had with \(ComputeLibrary.instructions)"
      }
    debug.log(GST_LEVEL_INFO, handle, "\(library.name) \(ComputeLibrary.version) computes in \(taken): \(reason)")
  }
}
