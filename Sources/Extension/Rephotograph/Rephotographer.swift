import Pixels

/// Makes new shots of old ones, without end: a virtual camera takes each shot of an album again, framed otherwise, as an editor
/// would go on between them.
///
/// ```swift
/// var rephotographer = Rephotographer(album: album, settings: .init(width: 1920, height: 1080, framesPerSecond: 25, seed: 42))
/// while let shot = rephotographer.nextShot(frames: 100) {
///   for frame in 0..<shot.frameCount { shot.render(frame, to: planes, with: camera) }
/// }
/// ```
///
/// - No source shot comes twice in a row if there are two or more, and the newest, which was just seen, does not come first.
/// - Each shot is a cut from the one before, and has none: `Framer` says how framings differ, `ShotRehearsal` what detectors find.
/// - Frames are those of the source's best ``Loop``, at its rate; a shot begins at some place in it, such that it needs no seam if
///   it is short enough.
/// - The same settings and pictures give the same shots, and those the same bytes.
///
/// Cost: the first shot of a source looks for its loop, see ``LoopFinder``; each is rehearsed, 0.05 ms a frame and take, of at most
/// twelve takes. Memory: the album's pictures and 2 kB of thumbnails for each.
public struct Rephotographer: Sendable {
  /// What all shots have in common.
  public struct Settings: Hashable, Sendable {
    /// The output in pixels, which are as wide per height as those of the album; kept inside 1 … 32,768.
    public var width, height: Int
    /// Of the album's pictures and of the output; 1 … 1,000.
    public var framesPerSecond: Double
    /// Of what is chosen by chance: sources, framings, moves and where loops begin.
    public var seed: UInt64
    /// Shortest round of a loop in seconds, if the source lasts so long.
    public var minimumLoop = 0.5

    /// Sides in pixels. What is out of range is put right by ``Rephotographer``, not here.
    public init(width: Int, height: Int, framesPerSecond: Double, seed: UInt64 = 0) {
      self.width = width
      self.height = height
      self.framesPerSecond = framesPerSecond
      self.seed = seed
    }
  }

  /// As they were given, also where they are out of range.
  public let settings: Settings
  /// May be replaced between shots, as by a copy that has grown.
  public var album: ShotAlbum

  /// Of a loop: the first one without a flaw is shown.
  private static let takes = 4

  private let framer: Framer
  private let rate: Double
  private var numbers: SplitMix64
  private var made = 0
  private var last: (source: Int, view: CameraView, kind: CameraMove.Kind, ending: ShotRehearsal.Ending?)?
  /// Of sources that are still kept.
  private var sources: [Int: Source] = [:]

  private struct Source: Sendable {
    /// Which frames were looked at.
    var dropped, count: Int
    /// The best loop, and what is taken where that has no shot without a flaw.
    var loops: [LoopFinder.Result]
    var detail: DetailMap
    var lastView: CameraView?
    var lastUse = 0
  }

  /// Nothing is computed yet; an empty album is no error, but gives no shot.
  public init(album: ShotAlbum, settings: Settings) {
    self.album = album
    self.settings = settings
    let sides = 1...PlanarPicture.largestSide
    func inside(_ side: Int) -> Int { min(max(side, sides.lowerBound), sides.upperBound) }
    framer = Framer(width: inside(settings.width), height: inside(settings.height))
    // A rate that is no number counts as 25.
    rate = settings.framesPerSecond.isFinite ? min(max(settings.framesPerSecond, 1), 1000) : 25
    numbers = SplitMix64(seed: settings.seed)
  }

  /// The next shot; nil if the album holds no picture.
  ///
  /// - Parameter frames: of the shot, kept inside 1 … 2³².
  public mutating func nextShot(frames: Int) -> RephotographedShot? {
    let shots = album.shots
    sources = sources.filter { number, _ in shots.contains { $0.number == number } }
    guard let shot = chosen(of: shots), let picture = shot.frames.first else { return nil }
    var source = known(shot)
    let count = min(max(1, frames), 1 << 32)
    made += 1
    // Before the first shot the source was seen as it is.
    let before = last.map(\.ending) ?? shots.last.flatMap { ShotRehearsal.Ending(of: $0, size: size) }
    var best: (shot: RephotographedShot, rehearsal: ShotRehearsal)?
    for loop in source.loops {
      for _ in 0..<Self.takes {
        let take = take(of: shot, source, loop, picture, frames: count, after: before)
        let rehearsal = ShotRehearsal(take, after: before, size: size)
        if best.map({ rehearsal.flaw < $0.rehearsal.flaw }) ?? true { best = (take, rehearsal) }
        if rehearsal.flaw == 0 { break }
      }
      if best?.rehearsal.flaw == 0 { break }
    }
    guard let best else { return nil }
    let view = best.shot.move.end.relative(to: picture)
    last = (shot.number, view, best.shot.move.kind, best.rehearsal.ending)
    source.lastView = view
    source.lastUse = made
    sources[shot.number] = source
    return best.shot
  }

  private mutating func take(
    of shot: ShotAlbum.Shot, _ source: Source, _ found: LoopFinder.Result, _ picture: PlanarPicture, frames: Int,
    after before: ShotRehearsal.Ending?
  ) -> RephotographedShot {
    let loopStart = start(in: found.loop, frames: frames)
    let (opening, size) = (found.loop.moment(at: loopStart), size)
    func change(_ view: CameraView) -> Double {
      guard let before, let glimpse = Glimpse(of: shot.frames, at: opening, in: view, size: size) else { return .infinity }
      return glimpse.change(from: before.glimpse)
    }
    let move = framer.move(
      over: picture, detail: source.detail, seconds: Double(frames) / rate, last: last?.view, lastOfSame: source.lastView,
      change: change, avoiding: last?.kind, using: &numbers)
    return RephotographedShot(
      number: made, source: shot.number, frameCount: frames, move: move, loop: found.loop, loopStart: loopStart,
      largestStep: found.largestStep, typicalStep: found.typicalStep, frames: shot.frames)
  }

  private var size: (width: Int, height: Int) { (framer.width, framer.height) }

  /// Any but the last one; the longer a shot was not shown the likelier.
  private mutating func chosen(of shots: [ShotAlbum.Shot]) -> ShotAlbum.Shot? {
    let before = last?.source ?? shots.last?.number
    let others = shots.filter { $0.number != before }
    guard !others.isEmpty else { return shots.last }
    let weights = others.map { Double(min(made - (sources[$0.number]?.lastUse ?? -1), 64)) }
    var place = numbers.unit() * weights.reduce(0, +)
    for (shot, weight) in zip(others, weights) {
      if place < weight { return shot }
      place -= weight
    }
    return others.last
  }

  private func known(_ shot: ShotAlbum.Shot) -> Source {
    let before = sources[shot.number]
    if let before, before.dropped == shot.dropped, before.count == shot.frames.count { return before }
    let finder = LoopFinder(shot.frames)
    let minimum = settings.minimumLoop * rate
    let shortest = minimum.isFinite ? Int(min(max(minimum, 1), 1e6).rounded(.up)) : 1
    let found = finder.find(minimum: shortest)
    let loops = found.loop.order == .still ? [found] : [found, finder.calmest(of: found, minimum: shortest), finder.still(of: found)]
    return Source(
      dropped: shot.dropped, count: shot.frames.count, loops: loops, detail: DetailMap(finder.thumbnails), lastView: before?.lastView,
      lastUse: before?.lastUse ?? 0)
  }

  private mutating func start(in loop: Loop, frames: Int) -> Int {
    loop.pass >= frames ? numbers.index(below: loop.pass - frames + 1) : numbers.index(below: loop.period)
  }
}
