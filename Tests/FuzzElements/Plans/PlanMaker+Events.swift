import CGStreamer

extension PlanMaker {
  static let sides = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 48, 64, 65, 100]
  /// Beyond what converters count with.
  static let longSides = [32767, 32768, 32769, 65535, 65536, 70000, 1_000_000, 2_147_483_647]

  /// Every raw format that this GStreamer knows.
  static let formats: [String] = (2..<UInt32(300)).compactMap { number in
    guard gst_video_format_get_info(GstVideoFormat(rawValue: number)) != nil, number < UInt32(formatCount),
      let name = gst_video_format_to_string(GstVideoFormat(rawValue: number))
    else { return nil }
    return String(cString: name)
  }

  /// GStreamer does not say how many there are, and warns of numbers beyond.
  private static let formatCount: Int = {
    let caps = gst_caps_from_string(cgst_video_caps_all())
    defer { if let caps { gst_caps_unref(caps) } }
    guard let caps, let list = gst_structure_get_value(gst_caps_get_structure(caps, 0), "format") else { return 30 }
    return Int(gst_value_list_get_size(list)) + 2
  }()

  mutating func videoCaps() -> String {
    if dice.chance(3) {
      return dice.one(of: [
        "audio/x-raw", "video/x-h264", "video/x-raw", "video/x-raw(memory:DMABuf), format=NV12, width=4, height=4", "ANY", "EMPTY",
      ])
    }
    let isCommon = dice.chance(50)
    let format = isCommon ? dice.one(of: ["I420", "NV12", "RGB", "BGRx", "GRAY8", "I420_10LE"]) : dice.one(of: Self.formats)
    var (width, height) = (dice.one(of: Self.sides), dice.one(of: Self.sides))
    if dice.chance(4) { (width, height) = (dice.one(of: Self.longSides), dice.within(1...3)) }
    if dice.chance(2) { (width, height) = (dice.within(1...3), dice.one(of: Self.longSides)) }
    if dice.chance(50) { (width, height) = (32, 24) }
    var fields = ["video/x-raw", "format=(string)\(format)", "width=(int)\(width)", "height=(int)\(height)"]
    switch dice.below(12) {
    case 0: fields.append("framerate=(fraction)0/1")
    case 1:
      fields.append("framerate=(fraction)\(dice.one(of: ["2147483647/1", "1/2147483647", "30000/1001", "1/5", "2147483647/2147483646"]))")
    case 2: break
    default: fields.append("framerate=(fraction)25/1")
    }
    if dice.chance(10) { fields.append("pixel-aspect-ratio=(fraction)\(dice.one(of: ["2147483647/1", "1/2147483647", "16/11"]))") }
    if dice.chance(8) { fields.append("interlace-mode=(string)\(dice.one(of: ["interleaved", "mixed", "fields", "alternate", "x"]))") }
    if dice.chance(10) {
      fields.append("colorimetry=(string)\(dice.one(of: ["bt601", "bt709", "bt2020", "sRGB", "2:0:0:0", "1:4:5:3", "1:1:16:1"]))")
    }
    if dice.chance(5) { fields.append("chroma-site=(string)\(dice.one(of: ["mpeg2", "jpeg", "dv", "none"]))") }
    if dice.chance(4) {
      fields.append("multiview-mode=(string)\(dice.one(of: ["side-by-side", "frame-by-frame", "separated"])), views=(int)2")
    }
    return fields.joined(separator: ", ")
  }

  mutating func soundCaps() -> String {
    if dice.chance(4) { return dice.one(of: ["audio/x-raw", "video/x-raw", "audio/mpeg", "ANY"]) }
    let format = dice.one(of: ["S16LE", "F32LE", "U8", "S24LE", "F64BE", "S32LE", "S20BE"])
    let rate = dice.chance(80) ? 48000 : dice.one(of: [1, 8000, 192_000, 2_147_483_647])
    let channels = dice.chance(80) ? dice.within(1...2) : dice.one(of: [3, 6, 64, 1000, 2_147_483_647])
    let layout = dice.chance(92) ? "interleaved" : "non-interleaved"
    let mask = channels > 2 ? ", channel-mask=(bitmask)0" : ""
    return
      "audio/x-raw, format=(string)\(format), rate=(int)\(rate), channels=(int)\(channels), layout=(string)\(layout)\(mask)"
  }

  mutating func segment() -> Plan.Span {
    var made = Plan.Span(format: GST_FORMAT_TIME.rawValue)
    guard dice.chance(35) else { return made }
    if dice.chance(25) {
      made.format = dice.one(of: [GST_FORMAT_BYTES, GST_FORMAT_DEFAULT, GST_FORMAT_BUFFERS, GST_FORMAT_PERCENT]).rawValue
    }
    if dice.chance(25) { made.rate = dice.one(of: [-1, 2, 0.5, -1e10, 1e10, 1e-10, 1e308]) }
    if dice.chance(10) { made.applied = dice.one(of: [-1, 2, 0.5, 1e10, 1e-10]) }
    if dice.chance(20) { made.flags = UInt32(dice.below(128)) }
    if dice.chance(30) { made.base = dice.chance(50) ? dice.edge() : 1_000_000_000 }
    if dice.chance(15) { made.offset = dice.edge() }
    if dice.chance(30) { made.start = dice.chance(40) ? dice.edge() : 40_000_000 * UInt64(dice.below(20)) }
    if dice.chance(30) { made.stop = dice.chance(40) ? dice.edge() : 40_000_000 * UInt64(dice.below(60)) }
    if dice.chance(30) { made.time = dice.edge() }
    if dice.chance(15) { made.position = dice.edge() }
    return made
  }

  mutating func event(_ lane: Plan.Lane) -> Plan.Event {
    switch dice.below(40) {
    case 0..<5: return .caps(lane == .video ? videoCaps() : soundCaps())
    case 5..<10: return .segment(segment())
    case 10..<13: return .gap(min(dice.time(frame: currentFrame), .max - 1), dice.duration())
    case 13..<15: return .flushStart
    case 15..<18: return .flushStop(reset: dice.chance(70))
    case 18..<20: return .endOfStream
    case 20..<22: return .streamStart(dice.one(of: ["a", "b"]))
    case 22..<24: return .tags(dice.one(of: Self.tags))
    case 24: return .segmentDone(dice.one(of: [1, 2, 3, 4]), dice.signed())
    case 25: return .groupDone(UInt32(truncatingIfNeeded: dice.edge()))
    case 26: return .bufferSize(dice.one(of: [2, 3]), dice.signed())
    case 27: return dice.chance(50) ? .toc : .instantRate(dice.one(of: [2, 0.5, 1]))
    case 28..<31:
      return .keyUnit(
        pts: dice.time(frame: currentFrame), stream: dice.time(frame: currentFrame), running: dice.time(frame: currentFrame),
        count: UInt32(truncatingIfNeeded: dice.edge()))
    default: return .custom(dice.one(of: Self.customTypes), dice.chance(70) ? boundary() : structure())
    }
  }

  private static let customTypes = [
    GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_CUSTOM_DOWNSTREAM_OOB, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
    GST_EVENT_CUSTOM_BOTH, GST_EVENT_CUSTOM_BOTH_OOB,
  ].map(\.rawValue)

  private static let tags = [
    "taglist, title=(string)\"x\";", "taglist, image-orientation=(string)rotate-90;", "taglist, image-orientation=(string)?;",
    "taglist, duration=(guint64)18446744073709551615;", "taglist, bitrate=(uint)4294967295;",
  ]

  private mutating func structure() -> String {
    dice.one(of: [
      "GstForceKeyUnit;",
      "GstForceKeyUnit, timestamp=(guint64)\(dice.edge()), running-time=(guint64)\(dice.edge()), all-headers=(boolean)true, count=(uint)1;",
      score(), "shot-marks-request, statistics=(boolean)true;", "shot-boundary;", "shot-transition, progress=(double)inf;",
      "anything, x=(int)1;",
      "shot-marks-request, statistics=(string)x;",
    ])
  }

  mutating func upstreamEvent() -> Plan.Event {
    switch dice.below(12) {
    case 0, 1, 2:
      return .seek(
        rate: dice.one(of: [1, -1, 2, 0.1]), format: dice.one(of: [1, 2, 3, 5]), flags: UInt32(dice.below(64)),
        startType: UInt32(dice.below(3)),
        dice.chance(50) ? 1_000_000_000 : dice.signed(), stopType: UInt32(dice.below(3)), dice.chance(50) ? -1 : dice.signed())
    case 3, 4: return .qos(type: UInt32(dice.below(3)), dice.one(of: [1, 0, 1e300]), dice.signed(), dice.time(frame: currentFrame))
    case 5: return .latency(dice.edge())
    case 6: return .navigation
    case 7: return .reconfigure
    case 8: return .step(dice.one(of: [1, 3, 4]), dice.edge(), dice.one(of: [1, 0.5, 1e10]))
    case 9: return .keyUnitUpstream(running: dice.time(frame: currentFrame), count: UInt32(truncatingIfNeeded: dice.edge()))
    default: return .custom(GST_EVENT_CUSTOM_UPSTREAM.rawValue, structure())
    }
  }

  mutating func query() -> Plan.Query {
    let format = dice.one(of: [GST_FORMAT_TIME, GST_FORMAT_TIME, GST_FORMAT_BYTES, GST_FORMAT_DEFAULT, GST_FORMAT_PERCENT]).rawValue
    switch dice.below(18) {
    case 0, 1: return .duration(format)
    case 2: return .position(format)
    case 3, 4: return .latency
    case 5: return .caps(dice.chance(50) ? nil : videoCaps())
    case 6: return .acceptCaps(videoCaps())
    case 7, 8, 9: return .allocation(videoCaps(), needsPool: dice.chance(50))
    case 10: return .seeking(format)
    case 11: return .segment
    case 12: return .convert(format, dice.signed(), dice.one(of: [1, 2, 3]))
    case 13: return .uri
    case 14: return .scheduling
    case 15: return .drain
    case 16: return .context("x")
    default: return dice.chance(50) ? .buffering(format) : .custom(structure())
    }
  }
}
