import Shots
import Timing

/// What is to be seen of the picture on its way to, into and out of an encoder: its times, where boundaries lie, and
/// where key frames are to be asked for.
///
/// Timestamps and running time are ``origin`` later inside, in a segment that begins at 0. `Segment` is how a stream's
/// timestamps become stream time; it is opaque.
public struct PictureWatch<Segment> {
  /// What is to be done about a frame, in order.
  public enum Step: Hashable, Sendable {
    /// Nobody was asked yet to find boundaries.
    case askForMarks
    /// A boundary was told after its frame had passed, so its shot begins late. Once.
    case warnOfLateness
    /// A boundary whose new shot begins at this running time.
    case mark(Boundary, at: ClockTime)
    /// A key frame is wanted at this time inside.
    case requestKey(at: ClockTime)
  }

  /// x264enc moves timestamps that are lower up to here, tells so only when its first packet is out, and until then takes
  /// every request for a key frame for one of that time. Encoders also misjudge requests where segments meet: they get a
  /// single one, from 0.
  public static var origin: ClockTime { 3_600_000_000_000_000 }

  /// nil if a clip is a shot: it can begin only where a key frame can still be made.
  private let keyFrameInterval: ClockTime?
  /// Of what arrives, from which running time on; the newest may not have begun.
  private var arriving: [(from: ClockTime?, segment: Segment)] = []
  /// Running time of the newest key frame that was asked for.
  private var lastKey: ClockTime?
  private var hasAskedForMarks = false
  private var hasWarnedOfLateness = false

  /// How long a frame is shown that does not say so; nil if that is not known.
  public var frameDuration: ClockTime?

  /// - Parameter keyFrameInterval: nil if key frames are only wanted at boundaries.
  public init(keyFrameInterval: ClockTime?) { self.keyFrameInterval = keyFrameInterval }

  /// A running time inside.
  public static func inside(_ running: ClockTime) -> ClockTime { origin.saturating(adding: running) }

  /// The running time of a frame or packet inside; nil if it has none: it lies outside of its segment.
  public static func outside(_ inside: ClockTime?) -> ClockTime? {
    guard let inside, inside >= origin else { return nil }
    return inside.less(origin)
  }

  // MARK: Before everything

  /// The segment of the frames that arrive.
  public var segment: Segment? { arriving.last?.segment }

  /// The frames that follow are timed by this segment.
  public mutating func begin(_ segment: Segment) { arriving.append((nil, segment)) }

  /// A frame arrives.
  ///
  /// - Parameter running: nil if it lies outside of its segment: no packet of it counts.
  /// - Returns: its timestamp inside.
  public mutating func arrive(at running: ClockTime?) -> ClockTime {
    guard let running else { return 0 }
    if let last = arriving.indices.last, arriving[last].from == nil {
      arriving[last].from = running
      // Segments that no frame lay in.
      arriving.removeAll { $0.from == nil }
    }
    return Self.inside(running)
  }

  /// A flush ends here: segments of before are forgotten.
  public mutating func flushArriving() { arriving.removeAll() }

  /// The segment of a coded frame. Segments before it are needed no more: frames come in order, or nearly so.
  public mutating func segment(at running: ClockTime) -> Segment? {
    guard let current = arriving.lastIndex(where: { $0.from.map { $0 <= running } == true }) else { return arriving.first?.segment }
    let segment = arriving[current].segment
    if current > 1 { arriving.removeFirst(current - 1) }
    return segment
  }

  // MARK: Before the encoder

  /// A frame reaches the encoder.
  ///
  /// - Parameters:
  ///   - inside: its timestamp.
  ///   - boundaries: that it carries.
  public mutating func frame(at inside: ClockTime?, duration: ClockTime?, boundaries: [Boundary]) -> [Step] {
    var steps: [Step] = hasAskedForMarks ? [] : [.askForMarks]
    hasAskedForMarks = true
    guard let running = Self.outside(inside) else { return steps }
    for boundary in boundaries { steps += mark(boundary, at: running, frame: duration ?? 0) }
    let isDue =
      if let lastKey {
        lastKey != running && (!boundaries.isEmpty || keyFrameInterval.map { running >= lastKey.saturating(adding: $0) } == true)
      } else {
        !boundaries.isEmpty || keyFrameInterval != nil
      }
    if isDue { steps.append(.requestKey(at: Self.inside(running))) }
    return steps
  }

  /// A boundary that no frame follows.
  public mutating func boundary(_ boundary: Boundary) -> [Step] { boundary.runningTime.map { mark(boundary, at: $0, frame: nil) } ?? [] }

  /// A request for a key frame reaches the encoder, whoever made it.
  public mutating func requested(at inside: ClockTime) { lastKey = Self.outside(inside) ?? 0 }

  /// A flush ends here: the next key frame is due as at the beginning.
  public mutating func flushRaw() { lastKey = nil }

  /// - Parameters:
  ///   - time: running time of the frame that the boundary lies on.
  ///   - frame: duration of that frame; nil if there is none.
  private mutating func mark(_ boundary: Boundary, at time: ClockTime, frame: ClockTime?) -> [Step] {
    let isShots = keyFrameInterval == nil
    let isLate = frame.map { frame in boundary.runningTime.map { $0.saturating(adding: max(frame / 2, 1)) < time } ?? false } ?? true
    var steps: [Step] = []
    if isLate, isShots, !hasWarnedOfLateness {
      hasWarnedOfLateness = true
      steps.append(.warnOfLateness)
    }
    if isShots, frame == nil { return steps }
    return steps + [.mark(boundary, at: isShots ? time : boundary.runningTime ?? time)]
  }

  // MARK: Behind the encoder

  /// The times of a packet; nil if no clip can have it.
  ///
  /// - Parameters:
  ///   - inside: its timestamp.
  ///   - streamTime: of a running time in a segment.
  public mutating func packet(
    at inside: ClockTime?, duration: ClockTime?, isKey: Bool, streamTime: (Segment, ClockTime) -> ClockTime?
  ) -> PacketTime? {
    guard let running = Self.outside(inside) else { return nil }
    let stream = segment(at: running).flatMap { streamTime($0, running) } ?? running
    return PacketTime(running: running, stream: stream, duration: duration ?? frameDuration ?? 0, isKey: isKey)
  }
}

extension PictureWatch: Sendable where Segment: Sendable {}

/// Where raw sound lies that flows without gaps in its timestamps.
public struct SoundWatch: Sendable {
  /// Samples a second, and bytes of one sample of all channels; 0 while unknown.
  private var rate: UInt64 = 0
  private var bytes: UInt64 = 0

  /// A stream whose format is not known yet.
  public init() {}

  /// The sound that follows is sampled so.
  public mutating func begin(rate: Int, bytesPerFrame: Int) { (self.rate, bytes) = (UInt64(max(0, rate)), UInt64(max(0, bytesPerFrame))) }

  /// From which running time to which a piece lasts; nil if that is not known.
  ///
  /// - Parameters:
  ///   - running: nil if it lies outside of its segment.
  ///   - size: bytes.
  public func piece(at running: ClockTime?, size: Int) -> Range<ClockTime>? {
    guard let running, rate > 0, bytes > 0 else { return nil }
    let duration = scaled(UInt64(max(0, size)) / bytes, by: 1_000_000_000, over: rate)
    return running..<running.saturating(adding: duration)
  }
}
