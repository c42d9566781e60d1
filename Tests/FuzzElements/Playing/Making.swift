import CGStreamer

/// Makes what a plan names. nil where GStreamer itself refuses to.
enum Making {
  static func caps(_ text: String) -> UnsafeMutablePointer<GstCaps>? { gst_caps_from_string(text) }

  private static func structure(_ text: String) -> OpaqueStructure? { gst_structure_from_string(text, nil) }
  private typealias OpaqueStructure = UnsafeMutablePointer<GstStructure>

  static func event(_ event: Plan.Event) -> UnsafeMutablePointer<GstEvent>? {
    switch event {
    case .streamStart(let id): return gst_event_new_stream_start(id)
    case .caps(let text):
      guard let caps = caps(text) else { return nil }
      defer { gst_caps_unref(caps) }
      return gst_caps_is_fixed(caps) != 0 ? gst_event_new_caps(caps) : nil
    case .segment(let span):
      var made = GstSegment()
      gst_segment_init(&made, GstFormat(rawValue: span.format))
      (made.rate, made.applied_rate, made.flags) = (span.rate, span.applied, GstSegmentFlags(rawValue: span.flags))
      (made.base, made.offset, made.start, made.stop) = (guint64(span.base), guint64(span.offset), guint64(span.start), guint64(span.stop))
      (made.time, made.position) = (guint64(span.time), guint64(span.position))
      return gst_event_new_segment(&made)
    case .tags(let text): return gst_tag_list_new_from_string(text).flatMap { gst_event_new_tag($0) }
    case .flushStart: return gst_event_new_flush_start()
    case .flushStop(let reset): return gst_event_new_flush_stop(reset ? 1 : 0)
    case .endOfStream: return gst_event_new_eos()
    case .gap(let start, let duration): return gst_event_new_gap(GstClockTime(start), GstClockTime(duration))
    case .segmentDone(let format, let position): return gst_event_new_segment_done(GstFormat(rawValue: format), gint64(position))
    case .groupDone(let group): return gst_event_new_stream_group_done(group)
    case .bufferSize(let format, let size): return gst_event_new_buffer_size(GstFormat(rawValue: format), gint64(size), gint64(size), 0)
    case .toc:
      guard let toc = gst_toc_new(GST_TOC_SCOPE_GLOBAL) else { return nil }
      defer { gst_mini_object_unref(UnsafeMutableRawPointer(toc).assumingMemoryBound(to: GstMiniObject.self)) }
      gst_toc_append_entry(toc, gst_toc_entry_new(GST_TOC_ENTRY_TYPE_CHAPTER, "a"))
      return gst_event_new_toc(toc, 0)
    case .instantRate(let rate): return gst_event_new_instant_rate_change(rate, GstSegmentFlags(rawValue: 0))
    case .custom(let type, let text): return structure(text).flatMap { gst_event_new_custom(GstEventType(rawValue: type), $0) }
    case .keyUnit(let pts, let stream, let running, let count):
      return gst_video_event_new_downstream_force_key_unit(GstClockTime(pts), GstClockTime(stream), GstClockTime(running), 1, count)
    case .seek(let rate, let format, let flags, let startType, let start, let stopType, let stop):
      return gst_event_new_seek(
        rate, GstFormat(rawValue: format), GstSeekFlags(rawValue: flags), GstSeekType(rawValue: startType), gint64(start),
        GstSeekType(rawValue: stopType), gint64(stop))
    case .qos(let type, let proportion, let late, let time):
      // GStreamer refuses a time before 0.
      let late = late < 0 && UInt64(late.magnitude) > time ? 0 : late
      return gst_event_new_qos(GstQOSType(rawValue: type), proportion, GstClockTimeDiff(late), GstClockTime(time))
    case .latency(let time): return gst_event_new_latency(GstClockTime(time))
    case .navigation:
      return structure("application/x-gst-navigation, event=(string)key-press, key=(string)a;").flatMap { gst_event_new_navigation($0) }
    case .reconfigure: return gst_event_new_reconfigure()
    case .step(let format, let amount, let rate): return gst_event_new_step(GstFormat(rawValue: format), guint64(amount), rate, 1, 0)
    case .keyUnitUpstream(let running, let count): return gst_video_event_new_upstream_force_key_unit(GstClockTime(running), 1, count)
    }
  }

  static func query(_ query: Plan.Query) -> UnsafeMutablePointer<GstQuery>? {
    switch query {
    case .duration(let format): return gst_query_new_duration(GstFormat(rawValue: format))
    case .position(let format): return gst_query_new_position(GstFormat(rawValue: format))
    case .latency: return gst_query_new_latency()
    case .caps(let filter):
      let filter = filter.flatMap { caps($0) }
      defer { if let filter { gst_caps_unref(filter) } }
      return gst_query_new_caps(filter)
    case .acceptCaps(let text):
      guard let caps = caps(text) else { return nil }
      defer { gst_caps_unref(caps) }
      return gst_caps_is_fixed(caps) != 0 ? gst_query_new_accept_caps(caps) : nil
    case .allocation(let text, let needsPool):
      guard let caps = caps(text) else { return nil }
      defer { gst_caps_unref(caps) }
      return gst_caps_is_fixed(caps) != 0 ? gst_query_new_allocation(caps, needsPool ? 1 : 0) : nil
    case .seeking(let format): return gst_query_new_seeking(GstFormat(rawValue: format))
    case .segment: return gst_query_new_segment(GST_FORMAT_TIME)
    case .convert(let from, let value, let to):
      return gst_query_new_convert(GstFormat(rawValue: from), gint64(value), GstFormat(rawValue: to))
    case .formats: return gst_query_new_formats()
    case .uri: return gst_query_new_uri()
    case .scheduling: return gst_query_new_scheduling()
    case .drain: return gst_query_new_drain()
    case .context(let type): return gst_query_new_context(type)
    case .buffering(let format): return gst_query_new_buffering(GstFormat(rawValue: format))
    case .custom(let text): return structure(text).flatMap { gst_query_new_custom(GST_QUERY_CUSTOM, $0) }
    }
  }

  // MARK: Buffers

  /// No test needs larger frames.
  private static let largest = 4 << 20

  /// - Parameter caps: what the lane has now; a frame of them is `whole`.
  static func buffer(_ frame: Plan.Frame, _ lane: Plan.Lane, _ caps: UnsafeMutablePointer<GstCaps>?) -> UnsafeMutablePointer<GstBuffer>? {
    guard let buffer = gst_buffer_new() else { return nil }
    let whole = max(0, min(size(lane, caps), largest))
    switch frame.memory {
    case .whole: append(whole, frame, to: buffer)
    case .none: break
    case .empty: append(0, frame, to: buffer)
    case .less(let bytes): append(max(0, whole - bytes), frame, to: buffer)
    case .more(let bytes): append(whole + bytes, frame, to: buffer)
    case .inParts(let count):
      var left = whole
      for part in 0..<min(count, 15) {
        let bytes = part == min(count, 15) - 1 ? left : left / 2
        append(bytes, frame, to: buffer)
        left -= bytes
      }
    case .readOnly:
      let size = max(1, whole)
      let bytes = g_malloc0(gsize(size))
      if let memory = gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, bytes, gsize(size), 0, gsize(size), bytes, g_free) {
        gst_buffer_append_memory(buffer, memory)
      }
    }
    (buffer.pointee.pts, buffer.pointee.dts, buffer.pointee.duration) = (
      GstClockTime(frame.pts), GstClockTime(frame.dts), GstClockTime(frame.duration)
    )
    gst_buffer_set_flags(buffer, GstBufferFlags(rawValue: frame.flags))
    for meta in frame.metas { add(meta, to: buffer) }
    return buffer
  }

  private static func size(_ lane: Plan.Lane, _ caps: UnsafeMutablePointer<GstCaps>?) -> Int {
    guard let caps else { return 100 }
    var video = GstVideoInfo()
    if lane == .video { return isRaw(caps, "video/x-raw") && gst_video_info_from_caps(&video, caps) != 0 ? Int(clamping: video.size) : 100 }
    var sound = GstAudioInfo()
    return isRaw(caps, "audio/x-raw") && gst_audio_info_from_caps(&sound, caps) != 0 ? Int(sound.bpf) * 1920 : 100
  }

  private static func isRaw(_ caps: UnsafeMutablePointer<GstCaps>, _ name: String) -> Bool {
    gst_caps_get_size(caps) == 1 && gst_structure_has_name(gst_caps_get_structure(caps, 0), name) != 0
  }

  private static func append(_ size: Int, _ frame: Plan.Frame, to buffer: UnsafeMutablePointer<GstBuffer>) {
    guard let memory = gst_allocator_alloc(nil, gsize(size), nil) else { return }
    gst_buffer_append_memory(buffer, memory)
    gst_buffer_memset(buffer, 0, frame.brightness, gst_buffer_get_size(buffer))
  }

  private static func add(_ meta: Plan.Meta, to buffer: UnsafeMutablePointer<GstBuffer>) {
    switch meta {
    case .video(let format, let width, let height, let stride, let offset, let planes):
      let format = gst_video_format_from_string(format)
      guard let made = gst_buffer_add_video_meta(buffer, GST_VIDEO_FRAME_FLAG_NONE, format, UInt32(width), UInt32(height)) else { return }
      if let stride { made.pointee.stride.0 = stride }
      if let offset { made.pointee.offset.0 = gsize(offset) }
      if let planes { made.pointee.n_planes = planes }
    case .sound(let rate, let channels, let samples, let isPlanar):
      var info = GstAudioInfo()
      gst_audio_info_set_format(&info, GST_AUDIO_FORMAT_S16LE, 48000, 1, nil)
      guard let made = gst_buffer_add_audio_meta(buffer, &info, 1, nil) else { return }
      (made.pointee.info.rate, made.pointee.info.channels, made.pointee.samples) = (rate, channels, gsize(samples))
      if isPlanar { made.pointee.info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED }
    case .crop(let x, let y, let width, let height):
      let api = gst_buffer_add_meta(buffer, gst_video_crop_meta_get_info(), nil)
      guard let crop = api.map({ UnsafeMutableRawPointer($0).assumingMemoryBound(to: GstVideoCropMeta.self) }) else { return }
      (crop.pointee.x, crop.pointee.y, crop.pointee.width, crop.pointee.height) = (x, y, width, height)
    case .timeCode(let rate, let frames, let seconds, let hours):
      // GStreamer refuses what no clock shows; the numbers are written over it.
      gst_buffer_add_video_time_code_meta_full(buffer, 25, 1, nil, GST_VIDEO_TIME_CODE_FLAGS_NONE, 0, 0, 0, 0, 0)
      guard let api = gst_buffer_get_meta(buffer, gst_video_time_code_meta_api_get_type()) else { return }
      let code = UnsafeMutableRawPointer(api).assumingMemoryBound(to: GstVideoTimeCodeMeta.self)
      (code.pointee.tc.config.fps_n, code.pointee.tc.config.fps_d) = rate
      (code.pointee.tc.frames, code.pointee.tc.seconds, code.pointee.tc.hours) = (frames, seconds, hours)
    case .custom(let name, let text):
      guard gst_meta_get_info(name) != nil, let fields = gst_structure_from_string(text, nil) else { return }
      defer { gst_structure_free(fields) }
      guard let made = gst_buffer_add_custom_meta(buffer, name), let into = gst_custom_meta_get_structure(made) else { return }
      for index in 0..<gst_structure_n_fields(fields) {
        guard let field = gst_structure_nth_field_name(fields, UInt32(index)) else { continue }
        gst_structure_set_value(into, field, gst_structure_get_value(fields, field))
      }
    }
  }
}
