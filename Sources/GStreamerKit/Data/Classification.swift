import CGStreamer

/// What a whole picture was found to be, in the form that GStreamer's analytics elements read (`GstAnalyticsRelationMeta`).
///
/// It is told twice, and the two are related: as a classification, and as an object that fills the picture, since overlays
/// and the export to ONVIF read objects only. What other elements have found of the same buffer stays.
///
/// GStreamer has it from 1.24 on; before, see `isAvailable`, nothing is added.
public struct Classification: Hashable, Sendable {
  /// One of a few: GStreamer keeps each label for as long as the process lives.
  public var label: String
  /// From 0 to 1.
  public var confidence: Double

  /// The confidence is handed on as it is, in single precision.
  public init(label: String, confidence: Double) {
    self.label = label
    self.confidence = confidence
  }

  /// Whether the GStreamer that runs has such metadata.
  public static var isAvailable: Bool { AnalyticsLibrary.shared != nil }

  /// Adds to a buffer whose metadata is writable.
  func add(to buffer: UnsafeMutablePointer<GstBuffer>, showing info: VideoInfo) {
    guard let library = AnalyticsLibrary.shared, let meta = library.find(buffer) ?? library.make(buffer) else { return }
    let quark = g_quark_from_string(label)
    let level = Float(confidence)
    var (classification, object) = (CGstAnalyticsEntry(), CGstAnalyticsEntry())
    guard library.addClass(meta, level, quark, &classification) != 0,
      library.addObject(meta, quark, 0, 0, Int32(clamping: info.width), Int32(clamping: info.height), level, &object) != 0
    else { return }
    _ = library.relate(meta, AnalyticsLibrary.relatesTo, object.id, classification.id)
    _ = library.relate(meta, AnalyticsLibrary.relatesTo, classification.id, object.id)
  }
}
