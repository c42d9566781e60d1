import Extension
import Testing
import Timing

@Suite("What a model sees of the video before")
struct ContextWindowTests {
  /// Offers frames of a rate, numbered from `first` on.
  private func offer(_ window: inout ContextWindow<Int>, _ numbers: Range<Int>, rate: Double) {
    for number in numbers where window.wants(UInt64((Double(number) / rate * 1e9).rounded())) { window.add(number) }
  }

  @Test("Frames are taken at the model's rate, whatever the stream's", arguments: [24.0, 25, 30, 60, 23.976, 12, 50, 100])
  func rate(rate: Double) {
    var window = ContextWindow<Int>(shots: 1000, frames: 1, rate: (8, 1))
    offer(&window, 0..<Int(rate * 10), rate: rate)
    #expect(abs(window.count - 80) <= 1)
    // Evenly: never further from the grid than half a frame of either rate.
    let isEven = window.clips.enumerated().allSatisfy { abs(Double($1.frames[0]) / rate - Double($0) / 8) <= 0.5 / 8 + 1e-6 }
    #expect(isEven)
  }

  @Test("A stream slower than the model gives every frame, and a clip of it is played slower")
  func slow() {
    var window = ContextWindow<Int>(shots: 1, frames: 8, rate: (8, 1))
    offer(&window, 0..<4, rate: 2)
    #expect(window.clips.map(\.frames) == [[0, 0, 1, 1, 2, 2, 3, 3]])
  }

  @Test("Each shot's clip is its end")
  func ends() {
    var window = ContextWindow<Int>(shots: 2, frames: 3, rate: (8, 1))
    #expect(window.clips.isEmpty)
    for shot in 0..<5 {
      window.cut()
      for frame in 0..<10 {
        let wanted = window.wants(UInt64(shot * 10 + frame) * 125_000_000)
        #expect(wanted)
        window.add(shot * 10 + frame)
      }
    }
    #expect(window.clips.map(\.frames) == [[37, 38, 39], [47, 48, 49]])
    // The shot that has just begun is not yet one.
    window.cut()
    #expect(window.clips.map(\.frames) == [[37, 38, 39], [47, 48, 49]])
    window.cut()
    window.add(50)
    #expect(window.clips.map(\.frames) == [[47, 48, 49], [50, 50, 50]])
  }

  @Test("Without marks the clips are windows of one shot, as many as it has whole ones")
  func unmarked() {
    var window = ContextWindow<Int>(shots: 3, frames: 4, rate: (8, 1))
    for frame in 0..<3 { window.add(frame) }
    #expect(window.clips.map(\.frames) == [[0, 0, 1, 2]])
    for frame in 3..<11 { window.add(frame) }
    #expect(window.clips.map(\.frames) == [[3, 4, 5, 6], [7, 8, 9, 10]])
    for frame in 11..<100 { window.add(frame) }
    #expect(window.clips.map(\.frames) == [[88, 89, 90, 91], [92, 93, 94, 95], [96, 97, 98, 99]])
    // A cut later, the older shot still gives what is missing.
    window.cut()
    window.add(100)
    #expect(window.clips.map(\.frames) == [[92, 93, 94, 95], [96, 97, 98, 99], [100, 100, 100, 100]])
  }

  @Test("The last of a shot's clips has its last picture in full size, as long as that was of the last frame")
  func fullSize() throws {
    let pictures = try (0..<3).map { level in try #require(picture(4, 4) { _, _ in UInt8(level) }) }
    /// Which picture each clip ends with.
    func ends(_ window: ContextWindow<Int>) -> [Int?] {
      window.clips.map { clip in
        guard case .frame(let picture) = clip.end else { return nil }
        return pictures.firstIndex { $0 === picture }
      }
    }
    var window = ContextWindow<Int>(shots: 3, frames: 2, rate: (8, 1))
    for frame in 0..<4 { window.add(frame, end: frame == 3 ? .frame(pictures[0]) : nil) }
    #expect(ends(window) == [nil, 0])
    window.cut()
    #expect(ends(window) == [nil, 0])
    window.add(4, end: .frame(pictures[1]))
    window.add(5, end: .frame(pictures[2]))
    #expect(ends(window) == [nil, 0, 2])
    window.add(6)
    #expect(ends(window) == [nil, 0, nil])
    window.cut()
    window.add(7, end: .frame(pictures[1]))
    window.cut()
    window.add(8)
    #expect(ends(window) == [nil, 1, nil])
    window.removeEnds()
    #expect(ends(window) == [nil, nil, nil])
  }

  @Test("What is kept does not grow")
  func bounded() {
    var window = ContextWindow<Int>(shots: 2, frames: 8, rate: (8, 1))
    for frame in 0..<20_000 {
      if frame % 97 == 0 { window.cut() }
      if window.wants(UInt64(frame) * 40_000_000) { window.add(frame) }
      #expect(window.count <= 24)
    }
    window.removeAll()
    #expect(window.count == 0 && window.clips.isEmpty)
    let wanted = window.wants(5)
    #expect(wanted)
  }

  @Test("A time that goes back, or far on, begins the grid anew")
  func jumps() {
    var window = ContextWindow<Int>(shots: 1, frames: 8, rate: (8, 1))
    let times: [(UInt64, Bool)] = [
      (10_000_000_000, true), (10_040_000_000, false), (10_080_000_000, true), (2_000_000_000, true), (2_040_000_000, false),
      (2_125_000_000, true),
      (60_000_000_000, true), (60_020_000_000, false), (60_130_000_000, true), (.max, true), (0, true),
    ]
    for (time, expected) in times {
      let wanted = window.wants(time)
      #expect(wanted == expected, "\(time)")
    }
  }
}

@Suite("Times of frames that go on")
struct FrameTimesTests {
  @Test("Frame n begins at n / rate to the nanosecond, and lasts until the next")
  func times() {
    let ntsc = FrameTimes(start: 1000, numerator: 24000, denominator: 1001)
    #expect(ntsc.time(of: 0) == 1000 && ntsc.time(of: 1) == 41_709_333 && ntsc.time(of: 24000) == 1_001_000_001_000)
    // A year of it, where sums of rounded durations would be off by a quarter of a second.
    #expect(ntsc.time(of: 756_000_000) == 31_531_500_000_001_000)
    for index in [UInt64(0), 1, 2, 23, 999_999] { #expect(ntsc.time(of: index) &+ ntsc.duration(of: index) == ntsc.time(of: index + 1)) }
    #expect(FrameTimes(start: 0, numerator: 3, denominator: 1).time(of: 2) == 666_666_667)
  }

  @Test("What is no rate is the usual one", arguments: [(0, 1), (1, 0), (-25, 1), (Int.max, 1)])
  func unknown(rate: (Int, Int)) {
    #expect(FrameTimes(start: 0, numerator: rate.0, denominator: rate.1).time(of: 25) == 1_000_000_000)
  }

  @Test("Times beyond all are the largest there is, and none traps")
  func extremes() {
    for (numerator, denominator) in [(1, Int(Int32.max)), (Int(Int32.max), 1), (Int(Int32.max), Int(Int32.max)), (1, 1)] {
      for start in [0, UInt64.max - 1] {
        let times = FrameTimes(start: start, numerator: numerator, denominator: denominator)
        for index in [0, 1, UInt64.max / 2, .max] {
          #expect(times.time(of: index) >= start)
          _ = times.duration(of: index)
          #expect(times.count(in: index) >= 1)
        }
      }
    }
    #expect(FrameTimes(start: 0, numerator: 1, denominator: 1).time(of: .max) == .max)
  }

  @Test("A duration has the nearest number of frames, at least one")
  func counts() {
    let times = FrameTimes(start: 5, numerator: 30000, denominator: 1001)
    #expect(times.count(in: 1_000_000_000) == 30 && times.count(in: 1_001_000_000) == 30 && times.count(in: 0) == 1)
    #expect(FrameTimes(start: 0, numerator: 12, denominator: 1).count(in: 4_000_000_000) == 48)
  }
}
