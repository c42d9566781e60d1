/// Joins the halves of a fade between which the picture stays black, white or of one colour for a while.
///
/// The way out and the way in look like two transitions to a detector when the pause is long. A way out is kept back if
/// the picture returns within what is surely seen when it is decided on; the way in then takes its beginning. Otherwise,
/// and if no way in is found, it is a boundary of its own.
struct FadePause {
  /// Standard deviation of luma, in levels, under which a picture is of one colour; compression leaves less than 2.
  static let flat = 3.0
  /// How many frames after the pause the way in must be decided on; also by how much intervals may miss the pause.
  private static let patience = 24
  private static let play = 4

  /// Mean and standard deviation of a thumbnail's luma, in levels.
  private struct Look {
    var level: Double
    var deviation: Double
  }

  private var looks = Timeline<Look>()
  private var waiting: (way: TransitionFinding, pauseEnd: Int)?

  mutating func append(level: Double, deviation: Double) { looks.append(Look(level: level, deviation: deviation)) }
  mutating func drop(before frame: Int) { looks.drop(before: frame) }

  mutating func removeAll() {
    looks.removeAll()
    waiting = nil
  }

  /// The boundaries that follow from one that was found, in order.
  mutating func join(_ found: TransitionFinding) -> (TransitionFinding?, TransitionFinding?) {
    var found = found
    var alone: TransitionFinding?
    if let (way, pauseEnd) = waiting {
      waiting = nil
      if found.kind == .fade, found.start <= pauseEnd + Self.play {
        found.start = way.start
        return (found, nil)
      }
      alone = way
    }
    guard found.kind == .fade, let pauseEnd = pauseEnd(of: found) else { return (alone, found) }
    waiting = (found, pauseEnd)
    return (alone, nil)
  }

  /// What waited too long, once all up to `frame` is decided.
  mutating func expire(_ frame: Int) -> TransitionFinding? {
    guard let (way, pauseEnd) = waiting, frame > pauseEnd + Self.patience else { return nil }
    waiting = nil
    return way
  }

  /// The last chance, at the end of a stream.
  mutating func finish() -> TransitionFinding? {
    defer { waiting = nil }
    return waiting?.way
  }

  /// What the picture comes nearest to between two frames.
  func color(from start: Int, to end: Int) -> FadeColor? {
    var flattest: Look?
    for frame in start...max(start, end) {
      if let look = looks[frame], look.deviation < flattest?.deviation ?? .infinity { flattest = look }
    }
    return flattest.map { $0.level < 128 ? .black : .white }
  }

  /// The last frame of the pause that a fade ends in; nil if it ends in none, or in one whose end is not seen yet.
  private func pauseEnd(of found: TransitionFinding) -> Int? {
    func isFlat(_ frame: Int) -> Bool? { looks[frame].map { $0.deviation < Self.flat } }
    // Seen for sure: the rest depends on how far thumbnails run ahead.
    let horizon = found.frame + TransitionRule.thumbnailsAhead
    guard
      let first = (max(found.frame, found.end - Self.play)...max(found.frame, found.end + Self.play)).first(where: { isFlat($0) == true })
    else { return nil }
    var frame = first
    while frame < horizon, isFlat(frame + 1) == true { frame += 1 }
    return frame < horizon && isFlat(frame + 1) == false ? frame : nil
  }
}
