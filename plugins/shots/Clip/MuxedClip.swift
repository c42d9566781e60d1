import CGStreamer
import Clips
import GStreamerKit
import ShotLists
import Timing

/// One clip's file while it is written: a pipeline of its own that muxes what it is given, picture encoded, sound raw.
///
/// `write` waits when the disk is behind by more than `backlog` bytes.
final class MuxedClip: ClipFile {
  typealias Packet = Buffer
  typealias Sound = Buffer
  typealias Format = Caps

  /// Bytes of picture that may wait for the disk.
  private static let backlog: guint64 = 16 << 20
  /// The frames' clock starts here, so that those decoded before the first one is shown have times too.
  private static let origin = GstClockTime(3_600_000_000_000)

  private let start: ClockTime
  private let pipeline: UnsafeMutablePointer<GstElement>
  private let bus: UnsafeMutablePointer<GstBus>
  private var picture: UnsafeMutablePointer<GstAppSrc>?
  private var sound: UnsafeMutablePointer<GstAppSrc>?
  private let soundInfo: GstAudioInfo?
  private var pictureCaps: Caps?
  private var part: PartFile
  private let path: String

  /// - Throws: RESOURCE/OPEN_WRITE; CORE/MISSING_PLUGIN; STREAM/FORMAT if the muxer does not take the streams.
  init(_ clip: ClipBeginning<Caps>, _ format: ClipFormat) throws {
    path = clip.path
    start = clip.start
    pictureCaps = clip.picture
    let soundCaps = clip.sound
    do { part = try PartFile(beside: path) } catch { throw ElementError(error) }
    var info = GstAudioInfo()
    soundInfo = soundCaps.flatMap { gst_audio_info_from_caps(&info, $0.gst) != 0 ? info : nil }

    var description = "\(format.muxer) name=mux ! fdsink name=out sync=false fd=\(part.descriptor)"
    // Neither source blocks: the muxer may be waiting for the other one. `write` looks at the backlog instead.
    description += " appsrc name=picture format=time handle-segment-change=true max-bytes=0"
    if soundInfo != nil {
      description +=
        " appsrc name=sound format=time max-bytes=0 ! audioconvert ! audioresample ! \(format.audioEncoder) ! identity name=heard"
    }
    var error: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&error) }
    guard let made = gst_parse_launch_full(description, nil, GST_PARSE_FLAG_FATAL_ERRORS, &error) else {
      throw ElementError(parsing: description, error)
    }
    gst_object_ref_sink(made)
    pipeline = made
    bus = gst_element_get_bus(made)
    self.picture = child("picture").map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: GstAppSrc.self) }
    self.sound = child("sound").map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: GstAppSrc.self) }

    try link("picture", clip.picture.gst)
    if soundInfo != nil { try link("heard", nil) }
    if let soundCaps, let sound { gst_app_src_set_caps(sound, soundCaps.gst) }
    guard gst_element_set_state(pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE else { throw failure() }
  }

  deinit {
    gst_element_set_state(pipeline, GST_STATE_NULL)
    for source in [picture, sound] { if let source { gst_object_unref(source) } }
    gst_object_unref(bus)
    gst_object_unref(pipeline)
  }

  var hasSound: Bool { sound != nil }

  func write(_ packet: Packet, at running: ClockTime) throws {
    guard let picture, let copy = packet.gst.flatMap({ cgst_buffer_copy($0) }) else { return }
    copy.pointee.pts = Self.origin &+ GstClockTime(running &- start)
    // As long before it is shown as the encoder has it decoded, if it tells.
    let reorder = packet.pts.flatMap { pts in packet.dts.map { pts.less($0) } } ?? 0
    copy.pointee.dts = copy.pointee.pts &- min(GstClockTime(reorder), Self.origin)
    while gst_app_src_get_current_level_bytes(picture) > Self.backlog {
      if let error = error(within: 20_000_000) {
        gst_buffer_unref(copy)
        throw error
      }
    }
    if let caps = pictureCaps {
      pictureCaps = nil
      var segment = GstSegment()
      gst_segment_init(&segment, GST_FORMAT_TIME)
      segment.start = guint64(Self.origin)
      segment.position = segment.start
      let sample = gst_sample_new(copy, caps.gst, &segment, nil)
      gst_app_src_push_sample(picture, sample)
      gst_sample_unref(sample)
      gst_buffer_unref(copy)
    } else {
      gst_app_src_push_buffer(picture, copy)
    }
    if let error = error(within: 0) { throw error }
  }

  func write(sound piece: Buffer, at running: ClockTime, in range: Range<ClockTime>) {
    guard let sound, let info = soundInfo, !range.isEmpty, let copy = piece.gst.flatMap({ cgst_buffer_copy($0) }) else { return }
    copy.pointee.pts = GstClockTime(running)
    var segment = GstSegment()
    gst_segment_init(&segment, GST_FORMAT_TIME)
    (segment.start, segment.stop) = (guint64(range.lowerBound), guint64(range.upperBound))
    guard let clipped = cgst_buffer_make_writable(gst_audio_buffer_clip(copy, &segment, info.rate, info.bpf)) else { return }
    clipped.pointee.pts = clipped.pointee.pts &- GstClockTime(start)
    gst_app_src_push_buffer(sound, clipped)
  }

  func endSound() {
    guard let source = sound else { return }
    gst_app_src_end_of_stream(source)
    gst_object_unref(source)
    sound = nil
  }

  func finish(overwriting: Bool, as name: (UInt64) -> String) throws -> UInt64 {
    endSound()
    if let picture { gst_app_src_end_of_stream(picture) }
    if let error = error(within: .max) { throw error }
    gst_element_set_state(pipeline, GST_STATE_NULL)
    do { return try part.publish(overwriting: overwriting, as: name) } catch { throw ElementError(error) }
  }

  /// The pipeline's error, if it posts one before it ends or the time, in nanoseconds, is over.
  private func error(within time: GstClockTime) -> ElementError? {
    let types = GstMessageType(rawValue: GST_MESSAGE_ERROR.rawValue | GST_MESSAGE_EOS.rawValue)
    guard let message = gst_bus_timed_pop_filtered(bus, time, types) else { return nil }
    defer { gst_message_unref(message) }
    return message.pointee.type == GST_MESSAGE_ERROR ? ElementError(message, path: path) : nil
  }

  private func failure() -> ElementError {
    error(within: 0) ?? .stream(GST_STREAM_ERROR_MUX, "\"\(path)\" cannot be written: its pipeline does not start.")
  }

  private func link(_ name: String, _ caps: UnsafeMutablePointer<GstCaps>?) throws {
    guard let from = child(name), let mux = child("mux") else { throw failure() }
    defer {
      gst_object_unref(from)
      gst_object_unref(mux)
    }
    guard let source = gst_element_get_static_pad(from, "src") else { throw failure() }
    defer { gst_object_unref(source) }
    guard let sink = gst_element_get_compatible_pad(mux, source, caps) else {
      throw ElementError.stream(
        GST_STREAM_ERROR_FORMAT,
        "\"\(path)\" cannot be written: its muxer does not take what the encoder gives. Set muxer, or the other extension.")
    }
    defer { gst_object_unref(sink) }
    guard gst_pad_link(source, sink) == GST_PAD_LINK_OK else { throw failure() }
  }

  /// The caller owns the result.
  private func child(_ name: String) -> UnsafeMutablePointer<GstElement>? {
    gst_bin_get_by_name(UnsafeMutableRawPointer(pipeline).assumingMemoryBound(to: GstBin.self), name)
  }
}
