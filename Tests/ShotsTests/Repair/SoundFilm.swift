import Shots
import Timing

/// Sound of no samples: a packet knows from which sample of its stream on it is.
struct FilmPacket: Hashable {
  var start: Int64
  var count: Int
}

/// Sound that plays through a repair, and all that came out.
struct SoundFilm {
  /// What came out: samples by their place in the input.
  enum Heard: Equatable {
    case samples(Range<Int64>)
    /// How many samples, and of which on either side: from which of the crossfade's on.
    case joint(Int, old: [Int: Range<Int64>], new: [Int: Range<Int64>])
    case event(String, ClockTime)
    case segment(String, ClockTime)
  }

  struct Piece: Equatable {
    var heard: Heard
    var pts: ClockTime?
    /// nil: the packet's own.
    var duration: ClockTime?

    /// Samples that it has.
    var count: Int64 {
      switch heard {
      case .samples(let range): Int64(range.count)
      case .joint(let count, _, _): Int64(count)
      case .event, .segment: 0
      }
    }
  }

  var repair: SoundRepair<FilmPacket, String>
  var rate: UInt64
  var out: [Piece] = []
  /// Packets that left as they came.
  var untouched = 0
  var decided: ClockTime = .max
  /// Time stamps less running times.
  var ahead: ClockTime = 0
  var segment = FilmSegment()
  private var stamps: [Int64: ClockTime] = [:]

  init(isCut: Bool = true, rate: UInt64 = 48_000, capacity: ClockTime = .milliseconds(20_000)) {
    self.rate = rate
    repair = SoundRepair(isCut: isCut, capacity: capacity)
    repair.take("caps", .caps(rate: Int(rate), continues: false))
    repair.take("segment", .segment(base: 0, isForward: true, continues: true))
    collect()
    out.removeAll()
  }

  /// When a sample is heard, counted from running time 0.
  func time(_ sample: Int64) -> ClockTime { scaled(UInt64(max(0, sample)), by: 1_000_000_000, over: rate) }

  /// So many samples as packets of `size`.
  mutating func play(_ samples: Range<Int64>, size: Int64 = 1024, tremble: (Int) -> Int64 = { _ in 0 }) {
    var number = 0
    for start in stride(from: samples.lowerBound, to: samples.upperBound, by: Int64.Stride(size)) {
      let count = min(size, samples.upperBound - start)
      let running = time(start + tremble(number))
      let pts = running.saturating(adding: ahead)
      stamps[start] = pts
      repair.take(FilmPacket(start: start, count: Int(count)), pts: pts, running: running, samples: Int(count))
      collect()
      number += 1
    }
  }

  mutating func cut(_ start: ClockTime, _ end: ClockTime?) {
    repair.cut(RemovedStretch(start: start, end: end))
    collect()
  }

  mutating func event(_ name: String, _ meaning: SoundEvent = .other) {
    repair.take(name, meaning)
    collect()
  }

  mutating func collect() {
    func place(_ part: SoundRepair<FilmPacket, String>.Part) -> Range<Int64> {
      part.packet.start + Int64(part.samples.lowerBound)..<part.packet.start + Int64(part.samples.upperBound)
    }
    while let step = repair.next(decided: decided) {
      switch step {
      case .packet(let packet, let pts):
        if pts == nil { untouched += 1 }
        out.append(Piece(heard: .samples(packet.start..<packet.start + Int64(packet.count)), pts: pts ?? stamps[packet.start]))
      case .part(let part, let time): out.append(Piece(heard: .samples(place(part)), pts: time.pts, duration: time.duration))
      case .joint(let joint):
        let sides = [joint.old, joint.new].map { Dictionary($0.map { ($0.at, place($0.part)) }) { first, _ in first } }
        out.append(Piece(heard: .joint(joint.count, old: sides[0], new: sides[1]), pts: joint.time.pts, duration: joint.time.duration))
      case .event(let name, let earlier): out.append(Piece(heard: .event(name, earlier)))
      case .segment(let name, let earlier): out.append(Piece(heard: .segment(name, earlier)))
      }
    }
  }

  // MARK: What came out

  /// The samples that pass as they are, in order, those that follow each other as one range.
  var passed: [Range<Int64>] {
    var ranges: [Range<Int64>] = []
    for case .samples(let range) in out.map(\.heard) {
      if let last = ranges.last, last.upperBound == range.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
      } else {
        ranges.append(range)
      }
    }
    return ranges
  }

  /// The crossfades, each side as one range, and how long they are.
  var joints: [(count: Int, old: Range<Int64>?, new: Range<Int64>?)] {
    func whole(_ side: [Int: Range<Int64>]) -> Range<Int64>? {
      guard let start = side.values.map(\.lowerBound).min(), let end = side.values.map(\.upperBound).max() else { return nil }
      return start..<end
    }
    return out.compactMap { if case .joint(let count, let old, let new) = $0.heard { (count, whole(old), whole(new)) } else { nil } }
  }

  /// By how much a sample that follows another comes too late or too early, at most, nanoseconds.
  var worstJump: Int64 {
    var (worst, end) = (Int64(0), Int64?.none)
    for piece in out where piece.count > 0 {
      guard let pts = piece.pts else { continue }
      if let end { worst = max(worst, abs(Int64(pts) - end)) }
      end = Int64(pts) + Int64(time(piece.count))
    }
    return worst
  }

  var samples: Int64 { out.reduce(0) { $0 + $1.count } }
}
