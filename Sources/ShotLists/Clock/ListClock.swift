import Shots
import Timing

/// Tells where the frames of a stream, and the boundaries that are found among them, lie in a list.
///
/// A list begins with the first frame that it sees: its time is 0 there, whatever the container's clock begins at, as
/// editors and `ffmpeg -ss` count. Where a film is sought into, places stay those in the film. What a flush took back was
/// never there. Where another film follows in the same stream, or the same one from elsewhere, each has its own times,
/// and those of the list run on.
///
/// ```swift
/// var clock = ListClock(rate: rate)
/// switch clock.advance(time, frame) { clock.medium(…) } {
/// case .begins(let place): …
/// case .joins(let place): …
/// case .follows: break
/// }
/// let place = clock.place(of: boundary)
/// ```
///
/// Cost: a comparison a frame; a search through at most 8,192 frames a boundary.
public struct ListClock: Sendable {
  /// What a frame means for the list.
  public enum Arrival: Hashable, Sendable {
    /// It is the list's first.
    case begins(ListPlace)
    /// It follows the one before it.
    case follows(ListPlace)
    /// Another film begins with it, or another place of the same: the one before has ended where its list time begins.
    case joins(ListPlace)
  }

  /// What is known of a film when a frame of it comes.
  public struct Source: Hashable, Sendable {
    /// Where it lies.
    public var uri: String?
    /// The stream's identity, which another film does not share.
    public var identity: String?
    /// The frame's own label; its time does not matter.
    public var timecode: StartTimecode?

    /// What is left out is not known.
    public init(uri: String? = nil, identity: String? = nil, timecode: StartTimecode? = nil) {
      (self.uri, self.identity, self.timecode) = (uri, identity, timecode)
    }
  }

  private struct Seen {
    var index: UInt64
    var running: ClockTime?
    var stream: ClockTime?
    var place: ListPlace
  }

  private struct Film {
    var medium: ListMedium
    var identity: String?
    /// Stream time of its first frame.
    var origin: ClockTime
  }

  /// Where stream time and list time meet: the first frame behind the last join that has a time.
  private struct Anchor {
    var stream: ClockTime?
    var place: ListPlace
    var index: UInt64
  }

  private static let remembered = 8192

  private let rate: FrameRate
  private let timecode: StartTimecode?
  private var films: [Film] = []
  private var current = 0
  private var seen: [Seen] = []
  private var anchor: Anchor?
  /// Length of the newest frame, where it says so.
  private var length: ClockTime?
  private var first: UInt64 = 0
  private var wasFlushed = false
  /// How far the indices of frames here are ahead of those that marks tell; wraps.
  private var ahead: UInt64 = 0

  /// - Parameters:
  ///   - rate: for frames without time stamps, which follow each other by it.
  ///   - timecode: of the first film's first frame, which goes before its own.
  public init(rate: FrameRate = .fallback, timecode: StartTimecode? = nil) {
    self.rate = rate
    self.timecode = timecode
  }

  /// Takes the next frame.
  ///
  /// - Parameters:
  ///   - index: of the frame, as its stream counts; one more each time.
  ///   - length: how long it is shown; nil if nothing says so.
  ///   - segment: where its segment lies in the medium, and how fast it plays.
  ///   - source: asked where a film may begin.
  public mutating func advance(
    _ time: BufferTime, index: UInt64, length: ClockTime?, segment: SegmentPlace = SegmentPlace(), source: () -> Source = { Source() }
  ) -> Arrival {
    defer { self.length = length }
    guard let last = seen.last else {
      let place = begin(time, index, segment, source())
      remember(time, index, place)
      return .begins(place)
    }
    guard isJoin(time, last, segment) else {
      let place = place(of: time, index, last)
      remember(time, index, place)
      return .follows(place)
    }
    let end = last.place.time.saturating(adding: self.length ?? gap(from: last, to: time, segment) ?? rate.nanoseconds(of: 1))
    let told = source()
    current = film(told, time.streamTime ?? 0)
    let start = position(in: films[current], time.streamTime)
    label(current, told.timecode, at: start)
    let place = ListPlace(frame: index &- first, time: end, source: SourceTime(films[current].medium, start))
    anchor = Anchor(stream: time.streamTime, place: place, index: index)
    remember(time, index, place)
    return .joins(place)
  }

  /// All that came so far was taken back: what comes next begins the list.
  public mutating func flush() {
    seen.removeAll(keepingCapacity: true)
    (anchor, length, wasFlushed) = (nil, nil, true)
  }

  /// How many frames the list has, and its time where the last one ends: as long as it says, or one frame of the rate. Nil
  /// before the first.
  public var end: (frame: UInt64, time: ClockTime)? {
    seen.last.map { ($0.place.frame &+ 1, $0.place.time.saturating(adding: length ?? rate.nanoseconds(of: 1))) }
  }
}

extension ListClock {
  private mutating func begin(_ time: BufferTime, _ index: UInt64, _ segment: SegmentPlace, _ told: Source) -> ListPlace {
    first = index
    let stream = time.streamTime ?? 0
    if films.isEmpty {
      // A film that was sought into before anything came of it is taken to begin at 0.
      films = [Film(medium: ListMedium(number: 1, uri: told.uri), identity: told.identity, origin: 0)]
      if !wasFlushed || segment.time == 0 { films[0].origin = stream }
    } else {
      // Films that were flushed are not in the list.
      films = [films[film(told, stream)]]
      (current, films[0].medium.number) = (0, 1)
    }
    let start = position(in: films[current], time.streamTime)
    if let timecode { films[current].medium.timecode = timecode }
    label(current, told.timecode, at: start)
    let place = ListPlace(frame: 0, time: start, source: SourceTime(films[current].medium, start))
    anchor = Anchor(stream: time.streamTime, place: place, index: index)
    return place
  }

  /// The film that this is, which may be a new one.
  private mutating func film(_ told: Source, _ stream: ClockTime) -> Int {
    let now = films[current]
    if told.identity == now.identity, told.uri == now.medium.uri { return current }
    // One URI and another stream: who answers the query knows only of the first.
    let uri = told.uri == now.medium.uri ? nil : told.uri
    if let uri, let known = films.firstIndex(where: { $0.medium.uri == uri }) { return known }
    if uri == nil, let known = films.firstIndex(where: { $0.identity != nil && $0.identity == told.identity }) { return known }
    films.append(Film(medium: ListMedium(number: films.count + 1, uri: uri), identity: told.identity, origin: stream))
    return films.count - 1
  }

  private mutating func label(_ film: Int, _ timecode: StartTimecode?, at time: ClockTime) {
    guard films[film].medium.timecode == nil, var timecode else { return }
    timecode.time = time
    films[film].medium.timecode = timecode
  }

  private func position(in film: Film, _ stream: ClockTime?) -> ClockTime {
    guard let stream else { return 0 }
    return stream >= film.origin ? stream - film.origin : stream
  }

  private mutating func remember(_ time: BufferTime, _ index: UInt64, _ place: ListPlace) {
    if seen.count >= 2 * Self.remembered { seen.removeFirst(Self.remembered) }
    seen.append(Seen(index: index, running: time.runningTime, stream: time.streamTime, place: place))
  }

  /// Stream time stands or goes back while running time goes on, or is far from where running time leads; or both begin anew.
  private func isJoin(_ time: BufferTime, _ last: Seen, _ segment: SegmentPlace) -> Bool {
    guard let stream = time.streamTime, let before = last.stream else { return false }
    let step = distance(before, stream)
    guard let running = time.runningTime, let then = last.running else { return step < -Self.jump }
    let passed = distance(then, running)
    let apart = abs(step - passed * segment.speed)
    return apart > Self.far || (apart > Self.rounding && step <= 0 && passed > 0) || passed < -Self.jump
  }

  /// A second: frames that are out of order are nearer.
  private static let jump = 1e9
  /// Nearer than this the pieces of a stream follow each other, whose lengths a playlist rounds.
  private static let far = 0.25e9
  /// A millisecond: what containers round is nearer.
  private static let rounding = 1e6

  private func gap(from last: Seen, to time: BufferTime, _ segment: SegmentPlace) -> ClockTime? {
    guard let running = time.runningTime, let then = last.running, running > then else { return nil }
    return segment.speed == 1 ? running - then : ClockTime(exactly: (distance(then, running) * segment.speed).rounded())
  }

  private mutating func place(of time: BufferTime, _ index: UInt64, _ last: Seen) -> ListPlace {
    guard var anchor else { return last.place }
    if let stream = time.streamTime {
      // The first time after frames without one.
      if anchor.stream == nil {
        anchor = Anchor(stream: stream, place: moved(anchor.place, by: rate.nanoseconds(of: index &- anchor.index)), index: index)
        self.anchor = anchor
      }
      return at(stream, frame: index &- first)
    }
    var place = moved(last.place, by: rate.nanoseconds(of: 1))
    if anchor.stream == nil { place = moved(anchor.place, by: rate.nanoseconds(of: index &- anchor.index)) }
    place.frame = index &- first
    return place
  }

  private func moved(_ place: ListPlace, by time: ClockTime) -> ListPlace {
    var place = place
    place.time = place.time.saturating(adding: time)
    place.source.time = place.source.time.saturating(adding: time)
    return place
  }

  /// By the clock of the film that runs.
  private func at(_ stream: ClockTime, frame: UInt64) -> ListPlace {
    guard let anchor, let start = anchor.stream else {
      return ListPlace(frame: frame, time: stream, source: SourceTime(ListMedium(number: 1), stream))
    }
    var place = moved(anchor.place, by: stream.less(start))
    place.time = place.time.less(start.less(stream))
    place.source.time = place.source.time.less(start.less(stream))
    place.frame = frame
    return place
  }
}

extension ListClock {
  /// Where a boundary lies that is told now, whenever its frame came; nil if that was taken back.
  public mutating func place(of boundary: Boundary) -> ListPlace? {
    place(frame: boundary.frame, running: boundary.runningTime, stream: boundary.streamTime)
  }

  /// Where a frame lies of which a mark tells: the one with its time, or the one that lies nearest; without times by its index.
  ///
  /// - Parameters:
  ///   - frame: as whoever made the mark counts.
  ///   - running, stream: of the frame, or between two frames; nil if not known.
  public mutating func place(frame: UInt64, running: ClockTime?, stream: ClockTime?) -> ListPlace? {
    guard let oldest = seen.first, let newest = seen.last else { return nil }
    let isWhole = oldest.index == first
    if let near = running.flatMap({ nearest(to: $0, \.running) }) ?? stream.flatMap({ nearest(to: $0, \.stream) }) {
      let isExact = running.map { $0 == near.running } ?? (stream == near.stream)
      if isExact { ahead = near.index &- frame }
      return isExact ? near.place : between(near, stream)
    }
    let index = frame &+ ahead
    if index >= oldest.index, index <= newest.index, seen.count > Int(clamping: index - oldest.index) {
      return seen[Int(clamping: index - oldest.index)].place
    }
    guard !isWhole, index >= first, index < oldest.index else { return nil }
    // So long ago that it is forgotten.
    guard let stream else {
      var place = moved(oldest.place, by: 0)
      place.time = place.time.less(rate.nanoseconds(of: oldest.index - index))
      place.source.time = place.source.time.less(rate.nanoseconds(of: oldest.index - index))
      place.frame = index - first
      return place
    }
    return at(stream, frame: index - first)
  }

  /// Nil where it lies before all that are remembered, or a second and more behind the newest.
  private func nearest(to time: ClockTime, _ clock: (Seen) -> ClockTime?) -> Seen? {
    var best: (seen: Seen, distance: ClockTime)?
    var isAfterOne = false
    for frame in seen.reversed() {
      guard let other = clock(frame) else { continue }
      let distance = max(other, time) - min(other, time)
      if distance == 0 { return frame }
      if other < time { isAfterOne = true }
      if best.map({ distance < $0.distance }) ?? true { best = (frame, distance) }
    }
    guard isAfterOne, let best, best.distance < ClockTime.milliseconds(1000) || best.seen.index != seen.last?.index else { return nil }
    return best.seen
  }

  /// Boundaries in the middle of a transition lie between frames.
  private func between(_ near: Seen, _ stream: ClockTime?) -> ListPlace {
    guard let stream, let other = near.stream else { return near.place }
    var place = moved(near.place, by: stream.less(other))
    place.time = place.time.less(other.less(stream))
    place.source.time = place.source.time.less(other.less(stream))
    return place
  }
}

/// Nanoseconds, negative where time goes back.
private func distance(_ from: ClockTime, _ to: ClockTime) -> Double {
  to >= from ? Double(to - from) : -Double(from - to)
}
