import Shots
import Timing

/// What a listing is asked to write.
public struct ListingSettings: Hashable, Sendable {
  /// File of the cut list; nil for none.
  public var location: String?
  /// Of that file.
  public var format = CutListFormat.csv
  /// Nil: the film's file name, or "Untitled".
  public var title: String?
  /// URI of the first film, before the one that the stream tells.
  public var source: String?
  /// Frames a second as `FrameRate/init(_:)` reads them; nil or 0/1 for the stream's own.
  public var frameRate: String?
  /// Label of the film's first frame, `HH:MM:SS:FF`, or `HH:MM:SS;FF` for drop-frame; nil for the stream's own, or 0.
  public var startTimecode: String?
  /// File of the frames' scores; nil for none.
  public var statisticsLocation: String?

  /// Nothing is written.
  public init() {}

  var rate: FrameRate? { frameRate.flatMap { FrameRate($0) } }

  /// What is wrong with them; nil if nothing is.
  public var fault: String? {
    if location == nil, statisticsLocation == nil { return "Neither location nor statistics-location is set: there is nothing to write." }
    if let frameRate, frameRate != "0/1", rate == nil {
      return "frame-rate is \"\(frameRate)\", which is no rate: write 25, 29.97 or 24000/1001."
    }
    if let startTimecode, !FrameRate.ofTimecodes.contains(where: { Timecode(startTimecode, rate: $0) != nil }) {
      return "start-timecode is \"\(startTimecode)\", which is no timecode: write 01:00:00:00, or 01:00:00;00 for drop-frame."
    }
    return nil
  }
}

/// Why a listing cannot go on, for people.
public struct ListingError: Error, CustomStringConvertible {
  /// A sentence.
  public let description: String
}

/// The cut list and the statistics of a stream, from its frames and marks.
///
/// ```swift
/// var listing = Listing(settings) { error in print(error) }
/// listing.configure(rate: rate, width: 1920, height: 1080)
/// for frame in frames { try listing.see(frame.time, index: frame.index) }
/// listing.take(boundary)
/// listing.end()
/// listing.close()
/// ```
///
/// Places are ``ListClock``'s, files ``CutListFile``'s and ``StatisticsFile``'s: nothing waits for a disk.
public struct Listing: Sendable {
  private let settings: ListingSettings
  private let onError: @Sendable (FileError) -> Void
  private var options = CutListOptions()
  private var rate: FrameRate?
  /// Of a frame that does not say it, at the rate that is now.
  private var length: ClockTime?
  private var clock: ListClock?
  private var list: CutListFile?
  private var statistics: StatisticsFile?
  /// Whether the list has begun and not ended.
  private var isOpen = false
  private var isGuessTold = false

  /// - Parameter onError: called at most once a file, on the thread that meets the failure. Must not call ``close()``.
  public init(_ settings: ListingSettings, onError: @escaping @Sendable (FileError) -> Void) {
    (self.settings, self.onError) = (settings, onError)
  }

  /// What the stream is; of several calls the first makes the list's file, and sets what it is written with.
  ///
  /// - Parameter rate: nil for one that varies or is not known.
  public mutating func configure(rate: FrameRate?, width: Int, height: Int) {
    if !isOpen { self.rate = rate }
    length = rate?.nanoseconds(of: 1)
    guard list == nil, let path = settings.location else { return }
    options.title = settings.title ?? settings.source.map { fileName(ofURI: $0) } ?? options.title
    options.source = settings.source
    options.rate = (settings.rate ?? rate ?? .fallback).timecodeRate
    (options.width, options.height) = (width, height)
    list = CutListFile(path: path, format: settings.format, options: options, onError: onError)
  }

  /// A frame, before the marks that it carries.
  ///
  /// - Parameters:
  ///   - index: of the frame, one more each time.
  ///   - segment: where its segment lies in the medium.
  ///   - source: asked where a film may begin.
  /// - Returns: a warning, at most once: the rate of the timecodes is a guess.
  /// - Throws: ``ListingError`` where the start timecode is none at the stream's rate.
  public mutating func see(
    _ time: BufferTime, index: UInt64, segment: SegmentPlace = SegmentPlace(), source: () -> ListClock.Source = { ListClock.Source() }
  ) throws(ListingError) -> String? {
    let told = time.duration.flatMap { $0 > 0 ? $0 : nil }
    let guess = settings.rate ?? rate ?? told.flatMap { FrameRate.guessed(from: $0) } ?? .fallback
    if clock == nil { clock = try makeClock(at: guess) }
    guard var clock else { return nil }
    defer { self.clock = clock }
    let arrival = clock.advance(time, index: index, length: told ?? length, segment: segment, source: source)
    switch arrival {
    case .joins(let place) where isOpen: list?.join(at: place)
    case .follows where isOpen: break
    // Also behind an end: the list goes on.
    case .begins(let place), .joins(let place), .follows(let place):
      begin(at: place, time, guess)
      return warning
    }
    return nil
  }

  private func makeClock(at rate: FrameRate) throws(ListingError) -> ListClock {
    guard let text = settings.startTimecode else { return ListClock(rate: rate) }
    let counted = rate.timecodeRate
    guard let timecode = Timecode(text, rate: counted) else {
      throw ListingError(description: "start-timecode is \"\(text)\", which is no timecode at \(counted.perSecond) frames a second.")
    }
    return ListClock(rate: rate, timecode: StartTimecode(timecode, rate: counted))
  }

  private mutating func begin(at place: ListPlace, _ time: BufferTime, _ rate: FrameRate) {
    isOpen = true
    let medium = place.source.medium
    options.rate = rate.timecodeRate
    options.source = settings.source ?? medium.uri
    options.title = settings.title ?? options.source.map { fileName(ofURI: $0) } ?? "Untitled"
    (options.start, options.begin) = (medium.timecode, place.time)
    options.dropFrame = medium.timecode?.timecode.isDropFrame ?? true
    let first = FrameTime(frame: place.frame, elapsed: 0, pts: time.pts, runningTime: time.runningTime, streamTime: place.time)
    list?.begin(at: first, options: options, source: place.source)
  }

  private var warning: String? {
    mutating get {
      guard rate == nil, settings.rate == nil, list != nil, settings.format.hasTimecodes, !isGuessTold else { return nil }
      isGuessTold = true
      let counted = options.rate.denominator == 1 ? "\(options.rate.numerator)" : "\(options.rate.numerator)/\(options.rate.denominator)"
      return "The stream does not say its frame rate: timecodes count \(counted) frames a second, which is a guess. "
        + "Set frame-rate for another, such as 25, 29.97 or 24000/1001."
    }
  }

  /// A boundary, however late it is told.
  public mutating func take(_ boundary: Boundary) {
    guard isOpen, let place = clock?.place(of: boundary) else { return }
    list?.see(boundary, at: place)
  }

  /// A frame's scores, and the names of their columns.
  public mutating func take(_ score: FrameScore, columns: [String]) {
    guard let path = settings.statisticsLocation,
      let place = clock?.place(frame: score.time.frame, running: score.time.runningTime, stream: score.time.streamTime)
    else { return }
    if statistics == nil { statistics = StatisticsFile(path: path, columns: columns, onError: onError) }
    var score = score
    (score.time.frame, score.time.streamTime) = (place.frame, place.time)
    statistics?.append(score)
  }

  /// All that came was taken back.
  public mutating func flush() {
    clock?.flush()
    isOpen = false
    list?.restart()
    statistics?.restart()
  }

  /// The end of the stream, or of what was played of it.
  public mutating func end() {
    guard isOpen, let end = clock?.end else { return }
    isOpen = false
    list?.end(endFrame: end.frame, end: end.time)
  }

  /// Ends what is open, and waits until all is on disk or has failed.
  public mutating func close() {
    end()
    // Either may have a reader that does not read: they are waited for together.
    list?.shut()
    statistics?.shut()
    list?.close()
    statistics?.close()
  }
}
