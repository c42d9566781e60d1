import Timing

/// Final Cut Pro XML 1.9: one asset, and an asset-clip a shot in the spine of one project. Times are multiples of the
/// frame duration, as the application asks. Durations of asset and sequence stand in the finished file only.
struct FCPXMLFormatter: CutListFormatter {
  let options: CutListOptions

  func head(_ summary: CutListSummary?) -> String {
    let name = xmlText(options.title)
    let size = zip(options.width, options.height).map { " width=\"\($0)\" height=\"\($1)\"" } ?? ""
    let source = xmlText(options.source ?? "file:///" + uriPath(options.title))
    let start = time(options.rate.frame(at: summary?.start ?? 0))
    let duration =
      summary.map {
        " duration=\"\(time(options.rate.frame(at: $0.end).less(options.rate.frame(at: $0.start))))\""
      } ?? ""
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE fcpxml>
      <fcpxml version="1.9">
        <resources>
          <format id="r1" frameDuration="\(time(1))"\(size)/>
          <asset id="r2" name="\(name)" start="\(start)"\(duration) hasVideo="1" format="r1">
            <media-rep kind="original-media" src="\(source)"/>
          </asset>
        </resources>
        <library>
          <event name="\(name)">
            <project name="\(name)">
              <sequence format="r1"\(duration) tcStart="0s" tcFormat="\(isDropFrame ? "DF" : "NDF")">
                <spine>

      """
  }

  func shot(_ shot: Shot) -> String {
    let (first, end) = (options.rate.frame(at: shot.start), options.rate.frame(at: shot.end))
    let note = shot.generated.map { "><note>\(xmlText($0.note))</note></asset-clip>" } ?? "/>"
    return """
                  <asset-clip name="\(shot.name)" ref="r2" offset="\(time(first))" start="\(time(first))" \
      duration="\(time(end.less(first)))"\(note)

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

  private var isDropFrame: Bool { options.dropFrame && options.rate.hasDropFrame }

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
