import Pixels

/// Chooses what the virtual camera shows of a picture.
///
/// Views have the output's aspect and lie inside the picture. Throughout a shot they are at least 1.3 times closer than the picture's
/// own framing, and the first one is a cut (``CameraView/isCut(from:)``) from the one that the shot before ended with. A picture as
/// large as the output is enlarged at most 2.5 times and one that is larger 3 times at most; a smaller one up to 2.2 times
/// beyond what the output needs anyway, since with less there is not always a framing that is new.
struct Framer {
  static let cutRatio = 1.3
  private static let largestEnlargement = 2.5
  /// Above 1.3³: whatever framing was last, a scale 1.3 times above or below it is then in reach.
  private static let leastRange = 2.2
  private static let attempts = 96
  /// Well above the usual threshold: what moves may hide a cut.
  private static let clearChange = 45.0
  /// How much closer a push comes in a second; panned, that is a part of the view's width. Faster looks like a reporter's zoom.
  private static let speed = 0.12
  private static let largestPush = 1.5
  private static let largestPan = 0.3

  /// The output's width and height in pixels.
  let width, height: Int

  /// - Parameters:
  ///   - picture: any frame of the shot.
  ///   - seconds: how long the shot lasts.
  ///   - last: view with which the shot before ended, in parts of its picture.
  ///   - lastOfSame: view with which the same shot was last shown, avoided where that is possible.
  ///   - change: what a detector measures between what was shown last and a view.
  ///   - avoided: a kind of move that is not taken.
  func move(
    over picture: PlanarPicture, detail: DetailMap, seconds: Double, last: CameraView?, lastOfSame: CameraView?,
    change: (CameraView) -> Double, avoiding avoided: CameraMove.Kind?, using numbers: inout SplitMix64
  ) -> CameraMove {
    let own = CameraView(coveringAspect: Double(width) / Double(height), width: picture.width, height: picture.height)
    let range = closest(own)
    var best: (move: CameraMove, score: Double)?
    for _ in 0..<Self.attempts {
      let candidate = proposal(in: picture, own: own, closest: range, seconds: seconds, avoiding: avoided, using: &numbers)
      let (start, end) = (candidate.start.relative(to: picture), candidate.end.relative(to: picture))
      var score = detail.appeal(of: start) + detail.appeal(of: end) + 0.5 * numbers.unit()
      if let last, !start.isCut(from: last) { continue }
      if let lastOfSame, !start.isCut(from: lastOfSame) { score -= 1 }
      // A cut is what is seen as one: detectors and people go by what changes, not by framings.
      if let best, score <= best.score { continue }
      score -= 10 * max(0, 1 - change(candidate.start) / Self.clearChange)
      if best.map({ score > $0.score }) ?? true { best = (candidate, score) }
    }
    if let best { return best.move }
    return safeHold(in: picture, own: own, closest: range, last: last)
  }

  /// How many times closer than its own framing a picture may be shown.
  private func closest(_ own: CameraView) -> Double {
    let base = Double(width) / own.width
    return min(3, max(Self.leastRange, Self.largestEnlargement / base))
  }

  private func proposal(
    in picture: PlanarPicture, own: CameraView, closest: Double, seconds: Double, avoiding avoided: CameraMove.Kind?,
    using numbers: inout SplitMix64
  ) -> CameraMove {
    let kinds = CameraMove.Kind.allCases.filter { $0 != avoided }
    let kind = kinds[numbers.index(below: kinds.count)]
    let amount = Self.speed * max(0, seconds) * numbers.between(0.7, 1)
    switch kind {
    case .pushIn, .pullOut:
      let ratio = 1 + min(amount, Self.largestPush - 1)
      let far = numbers.between(Self.cutRatio, closest / ratio)
      let wide = place(own, zoom: far, in: picture, numbers.unit(), numbers.unit())
      // Towards a place inside what the wide view shows, not its very edge.
      let (towardsX, towardsY) = (numbers.between(0.2, 0.8), numbers.between(0.2, 0.8))
      let (w, h) = (wide.width / ratio, wide.height / ratio)
      let tight = CameraView(x: wide.x + towardsX * (wide.width - w), y: wide.y + towardsY * (wide.height - h), width: w, height: h)
      return kind == .pushIn ? CameraMove(kind: kind, start: wide, end: tight) : CameraMove(kind: kind, start: tight, end: wide)
    case .pan, .hold:
      let start = place(own, zoom: numbers.between(Self.cutRatio, closest), in: picture, numbers.unit(), numbers.unit())
      guard kind == .pan else { return CameraMove(kind: kind, start: start, end: start) }
      let distance = min(amount, Self.largestPan) * start.width
      // Mostly across, as heads of tripods do.
      let down = numbers.between(-0.3, 0.3) * distance
      let room = Double(picture.width) - start.width - start.x
      let goesRight = min(room, start.x) >= distance ? numbers.unit() < 0.5 : room > start.x
      let across = goesRight ? distance : -distance
      var end = start
      end.x = min(max(start.x + across, 0), Double(picture.width) - start.width)
      end.y = min(max(start.y + down, 0), Double(picture.height) - start.height)
      return CameraMove(kind: start == end ? .hold : kind, start: start, end: end)
    }
  }

  /// A view so many times closer than the picture's own framing, at a place in parts of where it can be.
  private func place(_ own: CameraView, zoom: Double, in picture: PlanarPicture, _ across: Double, _ down: Double) -> CameraView {
    let (w, h) = (own.width / zoom, own.height / zoom)
    return CameraView(x: across * (Double(picture.width) - w), y: down * (Double(picture.height) - h), width: w, height: h)
  }

  /// What is always left: a scale that differs enough.
  private func safeHold(in picture: PlanarPicture, own: CameraView, closest: Double, last: CameraView?) -> CameraMove {
    let zoom = last.map { own.relative(to: picture).width / $0.width } ?? closest
    // Closer if that is in reach, else farther away: one of the two is.
    let wanted = zoom * Self.cutRatio <= closest ? zoom * Self.cutRatio : zoom / Self.cutRatio
    let view = place(own, zoom: min(max(wanted, Self.cutRatio), closest), in: picture, 0.5, 0.5)
    return CameraMove(kind: .hold, start: view, end: view)
  }
}
