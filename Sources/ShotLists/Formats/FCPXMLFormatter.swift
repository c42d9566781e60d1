import Timing

/// Final Cut Pro XML 1.9: an asset for each film, and an asset-clip a shot in the spine of one project. Times are multiples of
/// the frame duration, as the application asks. The clips follow each other from the sequence's own beginning on. Durations
/// of assets and sequence stand in the finished file only.
struct FCPXMLFormatter: CutListFormatter {
  let options: CutListOptions

  func head(_ summary: CutListSummary?) -> String {
    let name = xmlText(options.title)
    let size = zip(options.width, options.height).map { " width=\"\($0)\" height=\"\($1)\"" } ?? ""
    let start = options.recordFrame(at: summary?.start ?? options.begin)
    let duration = summary.map { " duration=\"\(time(options.rate.frame(at: $0.end).less(options.rate.frame(at: $0.start))))\"" } ?? ""
    let media = [ListMedium(number: 1, uri: options.source, timecode: options.start)] + options.others
    let assets = media.map { asset($0, summary?.media[$0.number], isFinished: summary != nil) }.joined()
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE fcpxml>
      <fcpxml version="1.9">
        <resources>
          <format id="r1" frameDuration="\(time(1))"\(size)/>
      \(assets)\
        </resources>
        <library>
          <event name="\(name)">
            <project name="\(name)">
              <sequence format="r1"\(duration) tcStart="\(time(start))" tcFormat="\(options.isDropFrame ? "DF" : "NDF")">
                <spine>

      """
  }

  private func asset(_ medium: ListMedium, _ extent: CutListSummary.Extent?, isFinished: Bool) -> String {
    // An asset must name a file: one that nobody finds, where none is known.
    let title = medium.number == 1 ? options.title : "\(options.title) (\(medium.number))"
    let uri = medium.uri ?? "file:///" + uriPath(title)
    let name = medium.number == 1 ? title : fileName(ofURI: uri)
    let start = options.sourceFrame(at: extent?.start ?? 0, in: medium)
    let frames = options.rate.frame(at: extent?.end ?? 0).less(options.rate.frame(at: extent?.start ?? 0))
    return """
          <asset id="r\(medium.number + 1)" name="\(xmlText(name))" start="\(time(start))"\
      \(isFinished ? " duration=\"\(time(frames))\"" : "") hasVideo="1" format="r1">
            <media-rep kind="original-media" src="\(xmlText(uri))"/>
          </asset>

      """
  }

  func shot(_ shot: Shot) -> String {
    let (record, source) = (options.recordFrame(at: shot.start), options.sourceFrame(of: shot))
    let note = shot.generated.map { "><note>\(xmlText($0.note))</note></asset-clip>" } ?? "/>"
    return """
                  <asset-clip name="\(shot.name)" ref="r\(shot.medium + 1)" offset="\(time(record))" start="\(time(source))" \
      duration="\(time(options.frames(of: shot)))"\(note)

      """
  }

  var foot: String {
    """
              </spine>
            </sequence>
          </project>
        </event>
      </library>
    </fcpxml>

    """
  }

  /// `frames` as rational seconds.
  private func time(_ frames: UInt64) -> String {
    let (numerator, overflow) = frames.multipliedReportingOverflow(by: UInt64(options.rate.denominator))
    if overflow { return "\(UInt64.max / UInt64(options.rate.numerator))s" }
    let (seconds, rest) = numerator.quotientAndRemainder(dividingBy: UInt64(options.rate.numerator))
    return rest == 0 ? "\(seconds)s" : "\(numerator)/\(options.rate.numerator)s"
  }
}

private func zip<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
  guard let a, let b else { return nil }
  return (a, b)
}
