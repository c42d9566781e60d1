import Timing

/// An OpenTimelineIO timeline of one video track with a clip a shot; the boundary that opened the shot is in the clip's
/// metadata.
struct OTIOFormatter: CutListFormatter {
  let options: CutListOptions

  func head(_ summary: CutListSummary?) -> String {
    """
    {"OTIO_SCHEMA":"Timeline.1","name":\(jsonString(options.title)),\
    "global_start_time":\(time(options.recordFrame(at: options.begin))),\
    "tracks":{"OTIO_SCHEMA":"Stack.1","name":"tracks","children":[\
    {"OTIO_SCHEMA":"Track.1","name":"Video 1","kind":"Video","children":[

    """
  }

  func shot(_ shot: Shot) -> String {
    let boundary = shot.opening.boundary.map { "{\"gst-shots\":\(jsonObject($0))}" } ?? "{}"
    return """
      \(shot.ordinal == 1 ? "" : ",")\
      {"OTIO_SCHEMA":"Clip.2","name":"\(shot.name)","source_range":{"OTIO_SCHEMA":"TimeRange.1",\
      "start_time":\(time(options.sourceFrame(of: shot))),"duration":\(time(options.frames(of: shot)))},\
      "media_references":{"DEFAULT_MEDIA":\(medium(of: shot))},"active_media_reference_key":"DEFAULT_MEDIA",\
      "metadata":\(boundary)}

      """
  }

  var foot: String { "]}]}}\n" }

  private func time(_ frame: UInt64) -> String {
    "{\"OTIO_SCHEMA\":\"RationalTime.1\",\"rate\":\(jsonNumber(options.rate.perSecond)),\"value\":\(frame).0}"
  }

  private func medium(of shot: Shot) -> String {
    guard let source = options.source(of: shot) else {
      return "{\"OTIO_SCHEMA\":\"MissingReference.1\",\"name\":\(jsonString(options.title))}"
    }
    let name = jsonString(shot.medium == 1 ? options.title : fileName(ofURI: source))
    return "{\"OTIO_SCHEMA\":\"ExternalReference.1\",\"name\":\(name),\"target_url\":\(jsonString(source))}"
  }
}
