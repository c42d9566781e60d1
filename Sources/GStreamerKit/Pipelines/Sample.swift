import CGStreamer
import Timing

/// A buffer with what its stream is and how its times are read.
public struct Sample: @unchecked Sendable {
  private let reference: Reference<GstMiniObject>

  /// Takes the caller's reference.
  init(taking pointer: OpaquePointer) { reference = Reference(miniObject: UnsafeMutablePointer(pointer)) }

  /// - Parameter segment: nil for one in time, from 0 on.
  public init?(_ buffer: Buffer, _ caps: Caps, _ segment: Segment? = nil) {
    let segment = segment ?? Segment()
    guard let made = withUnsafePointer(to: segment.gst, { gst_sample_new(buffer.gst, caps.gst, $0, nil) }) else { return nil }
    self.init(taking: made)
  }

  /// For calls of the C API; still owned here.
  var gst: OpaquePointer? { reference.pointer.map { OpaquePointer($0) } }

  /// Its data; nil if it has none.
  public var buffer: Buffer? { gst.flatMap { gst_sample_get_buffer($0) }.map { Buffer(borrowing: $0) } }
  /// What the data are; nil if that was not said.
  public var caps: Caps? { gst.flatMap { gst_sample_get_caps($0) }.map { Caps(borrowing: $0) } }
  /// How its times are read.
  public var segment: Segment? { gst.flatMap { gst_sample_get_segment($0) }.map { Segment($0.pointee) } }

  /// Position of its buffer in the medium; nil outside of its segment.
  public var streamTime: ClockTime? { buffer?.pts.flatMap { segment?.streamTime(of: $0) } }

  /// The frame in another form: a picture file's, as `image/png`, or another raw one. Blocks while it is converted.
  ///
  /// - Throws: STREAM/ENCODE with GStreamer's reason.
  public func converted(to caps: Caps, within time: ClockTime) throws -> Sample {
    var error: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&error) }
    guard let gst, let made = gst_video_convert_sample(gst, caps.gst, GstClockTime(time), &error) else {
      throw ElementError.stream(GST_STREAM_ERROR_ENCODE, error.map { String(cString: $0.pointee.message) } ?? "unknown error")
    }
    return Sample(taking: made)
  }
}
