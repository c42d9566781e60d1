import CGStreamer

/// What `gst-inspect-1.0` says of an element, and how it is registered.
public struct ElementDescription: Sendable {
  /// Name for `gst-launch-1.0`.
  public var factory: String
  /// GType name, unique in the process: a prefix and the class, `GstShotDetect`.
  public var typeName: String
  /// What `gst-inspect-1.0` prints as "Long-name".
  public var longName: String
  /// GStreamer's klass, such as `Filter/Analyzer/Video`.
  public var klass: String
  /// One sentence.
  public var summary: String
  /// Name, with or without a mail address.
  public var author: String
  /// Those of pads that are always there, and of those that come later.
  public var pads: [PadTemplate]
  /// How eagerly `decodebin` and the like choose it; 0 is never.
  public var rank: UInt32

  /// Nothing is checked: texts go to GStreamer as they are.
  public init(
    factory: String, typeName: String, longName: String, klass: String, summary: String, author: String,
    pads: [PadTemplate], rank: UInt32 = 0
  ) {
    self.factory = factory
    self.typeName = typeName
    self.longName = longName
    self.klass = klass
    self.summary = summary
    self.author = author
    self.pads = pads
    self.rank = rank
  }
}

/// A pad that an element has, or can be asked for.
public struct PadTemplate: Sendable, Hashable {
  /// Which way data flow: out of a source pad, into a sink pad.
  public enum Direction: Sendable { case source, sink }
  /// Made with the element, by the element later, or when asked for.
  public enum Presence: Sendable { case always, sometimes, request }

  /// `sink`, `src`, or with `%u` for several.
  public var name: String
  /// As the element sees it: data come in at a sink.
  public var direction: Direction
  /// How a pad of it comes to be.
  public var presence: Presence
  /// Caps in GStreamer's notation. A template whose caps do not parse is left out.
  public var caps: String
  /// Pads of a `PadElement` that ask the other side which caps it accepts: for elements that pass on what they get.
  public var proxiesCaps: Bool
  /// Of a `PadElement`: the pad on the other side that events and queries go on to; nil for all of them. Name both ways.
  public var partner: String?

  /// Nothing is checked: caps are parsed when the element's class is made.
  public init(
    _ name: String, _ direction: Direction, _ presence: Presence = .always, caps: String, proxiesCaps: Bool = false, partner: String? = nil
  ) {
    self.name = name
    self.direction = direction
    self.presence = presence
    self.caps = caps
    self.proxiesCaps = proxiesCaps
    self.partner = partner
  }

  /// The `sink` and `src` of a filter whose caps are the same on both sides.
  public static func filter(caps: String) -> [PadTemplate] {
    [PadTemplate("sink", .sink, caps: caps), PadTemplate("src", .source, caps: caps)]
  }

  /// Raw video in system memory in every format that GstVideo can unpack.
  ///
  /// - Parameter preferred: formats to name first: where the other side leaves the choice, it falls on them.
  public static func rawVideo(preferring preferred: [GstVideoFormat] = []) -> String {
    guard let all = gst_caps_from_string(cgst_video_caps_all()) else { return "video/x-raw" }
    defer { gst_caps_unref(all) }
    var names = preferred.compactMap { gst_video_format_to_string($0) }.map { String(cString: $0) }
    if let formats = gst_structure_get_value(gst_caps_get_structure(all, 0), "format") {
      for index in 0..<gst_value_list_get_size(formats) {
        guard let name = gst_value_list_get_value(formats, index).flatMap({ g_value_get_string($0) }) else { continue }
        let text = String(cString: name)
        if !names.contains(text) { names.append(text) }
      }
    }
    let size = "width = (int) [ 1, max ], height = (int) [ 1, max ], framerate = (fraction) [ 0, max ]"
    return "video/x-raw, format = { \(names.joined(separator: ", ")) }, \(size)"
  }

  /// The caller owns the result; nil if the caps do not parse.
  func makeTemplate() -> UnsafeMutablePointer<GstPadTemplate>? {
    guard let caps = gst_caps_from_string(caps) else { return nil }
    defer { gst_mini_object_unref(UnsafeMutableRawPointer(caps).assumingMemoryBound(to: GstMiniObject.self)) }
    return gst_pad_template_new(
      name, direction == .sink ? GST_PAD_SINK : GST_PAD_SRC,
      presence == .always ? GST_PAD_ALWAYS : presence == .sometimes ? GST_PAD_SOMETIMES : GST_PAD_REQUEST, caps)
  }
}
