import CGStreamer
import Timing

/// Chapters, as a container stores them (matroskamux does, qtmux does not).
public struct TableOfContents: Sendable, Hashable {
  /// A part of the medium.
  public struct Chapter: Sendable, Hashable {
    /// What players show; none if empty.
    public var title: String
    /// Stream time, nanoseconds.
    public var start: ClockTime
    /// Stream time, nanoseconds, not before `start`.
    public var end: ClockTime

    /// Nothing is checked.
    public init(title: String, start: ClockTime, end: ClockTime) {
      self.title = title
      self.start = start
      self.end = end
    }
  }

  /// In the order of their start.
  public var chapters: [Chapter]

  /// Chapters should be in order and not overlap: the whole lasts from the first one's start to the last one's end.
  public init(chapters: [Chapter]) { self.chapters = chapters }

  /// Runs `body` with a temporary GstToc: one edition with the chapters in it.
  func withGstToc<R>(_ body: (OpaquePointer) -> R) -> R? {
    guard let toc = gst_toc_new(GST_TOC_SCOPE_GLOBAL) else { return nil }
    defer { gst_mini_object_unref(UnsafeMutableRawPointer(toc).assumingMemoryBound(to: GstMiniObject.self)) }
    guard let edition = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_EDITION, "shots") else { return nil }
    if let first = chapters.first, let last = chapters.last {
      gst_toc_entry_set_start_stop_times(edition, gint64(clamping: first.start), gint64(clamping: last.end))
    }
    for (index, chapter) in chapters.enumerated() {
      guard let entry = gst_toc_entry_new(GST_TOC_ENTRY_TYPE_CHAPTER, "shot-\(index + 1)") else { continue }
      gst_toc_entry_set_start_stop_times(entry, gint64(clamping: chapter.start), gint64(clamping: chapter.end))
      // A tag list refuses an empty text, loudly.
      if !chapter.title.isEmpty, let tags = gst_tag_list_new_empty() {
        Value.string(chapter.title).withGValue { gst_tag_list_add_value(tags, GST_TAG_MERGE_REPLACE, GST_TAG_TITLE, $0) }
        gst_toc_entry_set_tags(entry, tags)
      }
      gst_toc_entry_append_sub_entry(edition, entry)
    }
    gst_toc_append_entry(toc, edition)
    return body(toc)
  }
}
