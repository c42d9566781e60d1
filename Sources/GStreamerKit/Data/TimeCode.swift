import CGStreamer
import Timing

/// A frame's SMPTE time code.
public final class TimeCode: @unchecked Sendable {
  private let gst: UnsafeMutablePointer<GstVideoTimeCode>

  private init(taking gst: UnsafeMutablePointer<GstVideoTimeCode>) { self.gst = gst }

  /// The most frames a second that time codes are counted with here: beyond, GStreamer's arithmetic ends the process.
  private static let fastest: UInt64 = 1000

  /// nil if the frame has none, and if the one that it has is none that a clock shows.
  public convenience init?(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    guard let meta = gst_buffer_get_meta(buffer, gst_video_time_code_meta_api_get_type()),
      let copy = gst_video_time_code_copy(&UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstVideoTimeCodeMeta.self).pointee.tc)
    else { return nil }
    let (frames, seconds) = (UInt64(copy.pointee.config.fps_n), UInt64(copy.pointee.config.fps_d))
    // GStreamer does not check those that others write into the metadata, and counts on with them.
    guard frames > 0, seconds > 0, frames <= Self.fastest * seconds, gst_video_time_code_is_valid(copy) != 0 else {
      gst_video_time_code_free(copy)
      return nil
    }
    self.init(taking: copy)
  }

  deinit { gst_video_time_code_free(gst) }

  /// The numbers of its label, not checked: hours, minutes, seconds, frames.
  public var numbers: (hours: UInt64, minutes: UInt64, seconds: UInt64, frames: UInt64) {
    (UInt64(gst.pointee.hours), UInt64(gst.pointee.minutes), UInt64(gst.pointee.seconds), UInt64(gst.pointee.frames))
  }

  /// What it counts at; nil if it does not say.
  public var rate: FrameRate? { FrameRate(Int(gst.pointee.config.fps_n), Int(gst.pointee.config.fps_d)) }

  /// Whether it leaves numbers out to keep up with the clock.
  public var isDropFrame: Bool { gst.pointee.config.flags.rawValue & GST_VIDEO_TIME_CODE_FLAGS_DROP_FRAME.rawValue != 0 }

  /// That of the next frame.
  public var next: TimeCode {
    guard let copy = gst_video_time_code_copy(gst) else { return self }
    gst_video_time_code_increment_frame(copy)
    return TimeCode(taking: copy)
  }

  /// Puts a copy on a buffer whose metadata is writable, beside one that it has.
  public func add(to buffer: UnsafeMutablePointer<GstBuffer>) { gst_buffer_add_video_time_code_meta(buffer, gst) }
}
