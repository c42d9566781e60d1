import Clips
import ShotLists
import Shots
import TestSupport
import Testing

@Suite("Plans of clips") struct ClipPlanTests {
  private static let second: UInt64 = 1_000_000_000

  /// 25 frames a second, packet `n` shown as frame `n`.
  private static func time(_ frame: Int, isKey: Bool) -> PacketTime {
    PacketTime(running: UInt64(frame) * 40_000_000, stream: UInt64(frame) * 40_000_000, duration: 40_000_000, isKey: isKey)
  }

  private static func boundary(_ shot: UInt64, _ frame: Int) -> Boundary {
    Boundary(kind: .cut, shot: shot, frame: UInt64(frame), runningTime: UInt64(frame) * 40_000_000, score: 1, detector: "test")
  }

  /// What a clip got: frames by their number, its shot, and the frame that it ends before.
  private struct Clip: Equatable {
    var shot: UInt64
    var frames: [Int]
    var end: Int?
  }

  /// Runs a plan over frames in coded order; `marks` are told before the frame that they are listed with.
  private static func run(
    _ mode: ClipPlan<Int>.Mode, _ frames: some Sequence<Int>, keys: Set<Int>, marks: [Int: [Int]], ends: Bool = true
  ) -> (clips: [Clip], missed: UInt64, kept: [Int]) {
    var plan = ClipPlan<Int>(mode)
    var clips: [UInt64: Clip] = [:]
    var kept: [Int] = []
    var shot: UInt64 = 1
    func perform(_ steps: [ClipPlan<Int>.Step]) {
      for step in steps {
        switch step {
        case .open(let head): clips[head.id] = Clip(shot: head.shot, frames: [], end: nil)
        case .write(let id, let packet, _): clips[id]?.frames.append(packet)
        case .close(let id, let end): clips[id]?.end = Int(end / 40_000_000)
        }
      }
    }
    for frame in frames {
      for mark in marks[frame] ?? [] {
        shot += 1
        plan.mark(boundary(shot, mark), at: UInt64(mark) * 40_000_000)
      }
      perform(plan.take(frame, time(frame, isKey: keys.contains(frame))))
      kept.append(plan.oldest.map { frame - Int($0 / 40_000_000) } ?? 0)
    }
    if ends { perform(plan.end()) }
    return (clips.sorted { $0.key < $1.key }.map(\.value), plan.missedKeys, kept)
  }

  @Test func `a shot is what lies between two boundaries`() {
    let (clips, missed, _) = Self.run(.shots, 0..<30, keys: [0, 5, 10, 20], marks: [2: [10], 11: [20]])
    #expect(
      clips == [
        Clip(shot: 1, frames: Array(0..<10), end: 10), Clip(shot: 2, frames: Array(10..<20), end: 20),
        Clip(shot: 3, frames: Array(20..<30), end: 30),
      ])
    #expect(missed == 0)
  }

  @Test func `frames that are coded out of order stay with their shot`() {
    let coded = [0, 3, 1, 2, 6, 4, 5, 7, 10, 8, 9]
    let (clips, _, _) = Self.run(.shots, coded, keys: [0, 7], marks: [0: [7]])
    #expect(clips == [Clip(shot: 1, frames: [0, 3, 1, 2, 6, 4, 5], end: 7), Clip(shot: 2, frames: [7, 10, 8, 9], end: 11)])
  }

  @Test func `what an open group of pictures shows before its key frame is left out`() {
    let (clips, _, _) = Self.run(.shots, [0, 1, 4, 2, 3, 5], keys: [0, 4], marks: [0: [4]])
    #expect(clips.map(\.frames) == [[0, 1], [4, 5]])
  }

  @Test func `a shot without a key frame at its beginning begins at the next one, and is counted once`() {
    let (clips, missed, _) = Self.run(.shots, 0..<20, keys: [0, 8], marks: [0: [5]])
    #expect(clips.map(\.frames) == [Array(0..<8), Array(8..<20)])
    #expect(missed == 1)
  }

  @Test func `of boundaries on one frame the last counts`() {
    let (clips, _, _) = Self.run(.shots, 0..<10, keys: [0, 5], marks: [0: [5, 5]])
    #expect(clips.map(\.shot) == [1, 3])
  }

  private static func around(_ padding: Int, longest: Int = 1000, onlyFirst: Bool = false) -> ClipPlan<Int>.Mode {
    .around(padding: UInt64(padding) * 40_000_000, longest: UInt64(longest) * 40_000_000, onlyFirst: onlyFirst)
  }

  @Test func `clips around boundaries overlap, start at key frames and end at their padding`() {
    let keys = Set(stride(from: 0, to: 200, by: 5))
    let (clips, missed, _) = Self.run(Self.around(20), 0..<200, keys: keys, marks: [40: [33], 52: [50]])
    #expect(clips == [Clip(shot: 2, frames: Array(15..<53), end: 53), Clip(shot: 3, frames: Array(30..<70), end: 70)])
    #expect(missed == 0)
  }

  @Test func `at the edges there is less, and never more than the longest`() {
    let keys = Set(stride(from: 0, to: 100, by: 5))
    let (clips, _, _) = Self.run(Self.around(20, longest: 30), 0..<60, keys: keys, marks: [10: [8], 40: [30], 55: [50]])
    #expect(clips.map(\.frames) == [Array(0..<28), Array(10..<40), Array(30..<60)])
  }

  @Test func `only the first is taken where that is asked for`() {
    let keys = Set(stride(from: 0, to: 100, by: 5))
    let (clips, _, kept) = Self.run(Self.around(10, onlyFirst: true), 0..<100, keys: keys, marks: [20: [20], 60: [60]])
    #expect(clips.map(\.shot) == [2])
    #expect(kept.last == 0)
  }

  @Test func `a boundary without a key frame in its padding takes an earlier one, or no clip`() {
    let near = Self.run(Self.around(5, longest: 40), 0..<100, keys: [0, 20, 60], marks: [30: [30], 58: [55]])
    #expect(near.clips.map(\.frames) == [Array(20..<35), Array(20..<60)])
    let far = Self.run(Self.around(5, longest: 10), 0..<100, keys: [0, 60], marks: [30: [30]])
    #expect(far.clips.isEmpty && far.missed == 1)
  }

  @Test func `what is kept is bounded, however long the stream`() {
    let keys = Set(stride(from: 0, to: 5000, by: 25))
    let (_, _, kept) = Self.run(Self.around(50), 0..<5000, keys: keys, marks: [:])
    let lateness = Int(ClipPlan<Int>.lateness / 40_000_000)
    #expect(kept.max() ?? 0 <= 50 + lateness + 25)
    #expect(kept.max() ?? 0 >= 50 + lateness)
    #expect(Self.run(.shots, 0..<5000, keys: keys, marks: [:]).kept.allSatisfy { $0 == 0 })
  }
}
