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
/// - Each shot is a cut from the one before: ``Framer`` says how framings differ.
/// - Frames are those of the source's best ``Loop``, at its rate; a shot begins at some place in it, such that it needs no seam if
///   it is short enough.
/// - The same settings and pictures give the same shots, and those the same bytes.
///
/// Cost: the first shot of a source looks for its loop, see ``LoopFinder``; others take microseconds. Memory: the album's pictures and
/// 2 kB of thumbnails for each.
public struct Rephotographer: Sendable {
  public struct Settings: Hashable, Sendable {
    /// The output in pixels, which are as wide per height as those of the album; kept inside 1 … 32,768.
    public var width, height: Int
    /// Of the album's pictures and of the output; 1 … 1,000.
    public var framesPerSecond: Double
    public var seed: UInt64
    /// Shortest round of a loop in seconds, if the source lasts so long.
    public var minimumLoop = 0.5

    public init(width: Int, height: Int, framesPerSecond: Double, seed: UInt64 = 0) {
      self.width = width
      self.height = height
      self.framesPerSecond = framesPerSecond
      self.seed = seed
    }
  }

  public let settings: Settings
  /// May be replaced between shots, as by a copy that has grown.
  public var album: ShotAlbum

  private let framer: Framer
  private let rate: Double
  private var numbers: SplitMix64
  private var made = 0
  private var last: (source: Int, view: CameraView, kind: CameraMove.Kind, shown: ColorThumbnail)?
  /// Of sources that are still kept.
  private var sources: [Int: Source] = [:]

  private struct Source: Sendable {
    /// Which frames were looked at.
    var dropped, count: Int
    var found: Loop
    var largestStep, typicalStep: Double
    var detail: DetailMap
    var lastView: CameraView?
    var lastUse = 0
  }

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
    let loopStart = start(in: source.found, frames: count)
    func shown(_ frame: Int) -> ColorThumbnail { ColorThumbnail(shot.frames[source.found.moment(at: loopStart + frame).frame]) }
    // Before the first shot the source was seen as it is.
    let seen = shots.last?.frames.last.map { (ColorThumbnail($0), CameraView(x: 0, y: 0, width: 1, height: 1)) }
    let (first, before) = (shown(0), last.map { ($0.shown, $0.view) } ?? seen)
    let move = framer.move(
      over: picture, detail: source.detail, seconds: Double(count) / rate, last: last?.view, lastOfSame: source.lastView,
      change: { view in before.map { first.change(in: view, from: $0.0, in: $0.1) } ?? 0 }, avoiding: last?.kind, using: &numbers)
    let view = move.end.relative(to: picture)
    last = (shot.number, view, move.kind, shown(count - 1))
    source.lastView = view
    source.lastUse = made
    sources[shot.number] = source
    return RephotographedShot(
      number: made, source: shot.number, frameCount: count, move: move, loop: source.found,
      loopStart: loopStart, largestStep: source.largestStep, typicalStep: source.typicalStep,
      frames: shot.frames)
  }

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
    let found = finder.find(minimum: minimum.isFinite ? Int(min(max(minimum, 1), 1e6).rounded(.up)) : 1)
    return Source(
      dropped: shot.dropped, count: shot.frames.count, found: found.loop, largestStep: found.largestStep, typicalStep: found.typicalStep,
      detail: DetailMap(finder.thumbnails), lastView: before?.lastView, lastUse: before?.lastUse ?? 0)
  }

  private mutating func start(in loop: Loop, frames: Int) -> Int {
    loop.pass >= frames ? numbers.index(below: loop.pass - frames + 1) : numbers.index(below: loop.period)
  }
}
