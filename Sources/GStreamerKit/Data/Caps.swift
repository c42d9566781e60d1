import CGStreamer

/// What a stream is, or what a pad takes.
public struct Caps: MiniObject, Hashable, CustomStringConvertible, @unchecked Sendable {
  private var reference: Reference<GstCaps>

  /// Takes the caller's reference.
  public init(taking pointer: UnsafeMutablePointer<GstCaps>) { reference = Reference(miniObject: pointer) }

  /// In GStreamer's notation; nil if it does not parse.
  public init?(_ text: String) {
    guard let pointer = gst_caps_from_string(text) else { return nil }
    self.init(taking: pointer)
  }

  /// For calls of the C API; still owned here.
  public var gst: UnsafeMutablePointer<GstCaps>? { reference.pointer }

  /// In GStreamer's notation.
  public var description: String {
    guard let text = gst_caps_to_string(gst) else { return "" }
    defer { g_free(text) }
    return String(cString: text)
  }

  public static func == (one: Caps, other: Caps) -> Bool {
    one.gst == other.gst || (one.gst != nil && other.gst != nil && gst_caps_is_equal(one.gst, other.gst) != 0)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(description) }

  /// As raw video; nil if they are none.
  public var video: VideoInfo? { gst.flatMap { VideoInfo(caps: $0) } }

  /// As raw sound that can be read; nil if they are none.
  public var audio: AudioInfo? { gst.flatMap { AudioInfo(caps: $0) } }

  private var first: UnsafePointer<GstStructure>? {
    gst.flatMap { gst_caps_get_size($0) > 0 && gst_caps_is_any($0) == 0 ? UnsafePointer(gst_caps_get_structure($0, 0)) : nil }
  }

  /// "video/x-h264", say; nil if they are any or none.
  public var mediaType: String? { first.map { String(cString: gst_structure_get_name($0)) } }

  /// A field that is a whole number.
  public func int(_ field: String) -> Int? {
    var value: gint = 0
    guard let first, gst_structure_get_int(first, field, &value) != 0 else { return nil }
    return Int(value)
  }

  /// A field that is a fraction.
  public func fraction(_ field: String) -> (numerator: Int, denominator: Int)? {
    var (numerator, denominator) = (gint(0), gint(1))
    guard let first, gst_structure_get_fraction(first, field, &numerator, &denominator) != 0 else { return nil }
    return (Int(numerator), Int(denominator))
  }
}
