import Glibc

/// Looks for straight fronts that cross the picture: what a wipe is made of.
///
/// A front that takes `duration` frames and is in the middle at t passes each place (a column or a row) at its own
/// moment. At each place and moment stands what a front would leave there: `gain`, how much the place changes within a
/// frame of that moment beyond what it changes 3 and 4 frames away, and `hit`, whether that is clearly more.
struct FrontMeter {
  private struct Duration {
    var frames: Int
    /// When the front passes each place, frames from t.
    var columns: [Int]
    var rows: [Int]
  }

  private struct Best {
    /// gain·hits, both summed over the places.
    var score = -1
    var hits = 0
    var frames = 0
  }

  private let durations: [Duration]
  /// [64, 48] and [64, 27]: 4·gain, and the hits.
  private var columnGains, rowGains: [Int32]
  private var columnHits, rowHits: [Int32]
  /// Frames whose gains and hits are known.
  private var known = 0

  init() {
    durations = TransitionCues.frontDurations.map {
      Duration(
        frames: $0, columns: Self.delays($0, places: TransitionCues.width), rows: Self.delays($0, places: TransitionCues.height))
    }
    columnGains = [Int32](repeating: 0, count: ThumbnailHistory.capacity * TransitionCues.width)
    rowGains = [Int32](repeating: 0, count: ThumbnailHistory.capacity * TransitionCues.height)
    columnHits = columnGains
    rowHits = rowGains
  }

  mutating func removeAll() { known = 0 }

  /// floor((2·place + 1 - places)·duration / (2·places) + ½)
  static func delays(_ duration: Int, places: Int) -> [Int] {
    (0..<places).map { place in
      let part = (2 * place + 1 - places) * duration + places, whole = 2 * places
      return part >= 0 ? part / whole : -((whole - 1 - part) / whole)
    }
  }

  /// Appends the nine cues of fronts around `t`. `columns` and `rows`: ``ThumbnailHistory``'s.
  mutating func measure(_ t: Int, newest: Int, _ columns: [Int32], _ rows: [Int32], into row: inout [Float]) {
    let width = TransitionCues.width, height = TransitionCues.height
    while known <= min(newest, t + TransitionCues.reach - 4) {
      Self.compare(known, newest: newest, columns, places: width, across: height, &columnGains, &columnHits)
      Self.compare(known, newest: newest, rows, places: height, across: width, &rowGains, &rowHits)
      known += 1
    }
    var duration = 0, share = -1.0
    for direction in 0..<4 {
      let down = direction > 1, places = down ? height : width, most = Double((down ? width : height) * 765)
      let best =
        down
        ? search(t, newest, rowGains, rowHits, places: places, \.rows, backwards: direction == 3)
        : search(t, newest, columnGains, columnHits, places: places, \.columns, backwards: direction == 1)
      let hit = Double(best.hits) / Double(places)
      row.append(Float(log(Double(best.score) / (4 * most * Double(places * places)) + 0.002)))
      row.append(Float(hit))
      if hit > share { (share, duration) = (hit, best.frames) }
    }
    row.append(Float(Double(duration) / 44))
  }

  /// Fills in the gains and hits of frame `frame`. `across`: pixels in a place.
  private static func compare(
    _ frame: Int, newest: Int, _ profile: [Int32], places: Int, across: Int, _ gains: inout [Int32], _ hits: inout [Int32]
  ) {
    func start(_ step: Int) -> Int { ThumbnailHistory.slot(min(max(frame + step, 0), newest)) * places }
    let near = (start(-1), start(0), start(1)), far = (start(-4), start(-3), start(3), start(4))
    let target = start(0), threshold = Int32(2 * across * 765)
    for i in 0..<places {
      let on = max(profile[near.0 + i], profile[near.1 + i], profile[near.2 + i])
      let off = profile[far.0 + i] + profile[far.1 + i] + profile[far.2 + i] + profile[far.3 + i]
      gains[target + i] = max(4 * on - off, 0)
      hits[target + i] = 100 * on > 50 * off + threshold ? 1 : 0
    }
  }

  /// The duration with the largest gain·hits; the shorter of two equal ones.
  private func search(
    _ t: Int, _ newest: Int, _ gains: [Int32], _ hits: [Int32], places: Int, _ delays: KeyPath<Duration, [Int]>, backwards: Bool
  ) -> Best {
    var best = Best()
    for duration in durations {
      let delays = duration[keyPath: delays]
      var gain = 0, hit = 0
      for place in 0..<places {
        let frame = min(max(t + delays[backwards ? places - 1 - place : place], 0), newest)
        let at = ThumbnailHistory.slot(frame) * places + place
        gain += Int(gains[at])
        hit += Int(hits[at])
      }
      if gain * hit > best.score { best = Best(score: gain * hit, hits: hit, frames: duration.frames) }
    }
    return best
  }
}
