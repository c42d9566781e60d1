import GStreamerKit
import Pixels
import Timing

extension StreamLane {
  /// Pads of elements for video that take its sound too.
  static let soundAndVideo = pads(video: PixelFormat.caps, sound: "audio/x-raw, layout = (string) interleaved")
}
