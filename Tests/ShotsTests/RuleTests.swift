import Shots
import TestSupport
import Testing

@Suite("Content and flash filter") struct ContentRuleTests {
  private func frames(_ settings: DetectorSettings, _ high: [Int: Double], count: Int = 200) -> [UInt64] {
    boundaries(ContentRule(settings), scores(count, high)).map(\.frame)
  }

  @Test("A merge pending at the end of the stream is flushed")
  func pendingMerge() {
    // 25 frames a second, 15 frames minimum: the burst 60…78 would become a cut at 78 at frame 93.
    let burst = Dictionary(uniqueKeysWithValues: (60...78).map { ($0, 50.0) })
    let high = [50: 50.0].merging(burst) { $1 }
    #expect(frames(DetectorSettings(), high, count: 85) == [50, 78])
    #expect(boundaries(ContentRule(DetectorSettings()), scores(85, high), finishing: false).map(\.frame) == [50])
  }

  @Test("A burst too short to be a shot of its own is not flushed either")
  func shortBurst() {
    #expect(frames(DetectorSettings(), [50: 50, 53: 50], count: 60) == [50])
    #expect(frames(DetectorSettings(), [50: 50, 53: 50], count: 200) == [50])
  }

  @Test("A merged cut carries score, times and neighbours of the frame it lies at")
  func mergedCutIsTrue() {
    var high = Dictionary(uniqueKeysWithValues: (60...78).map { ($0, 50.0) })
    high[50] = 40
    high[78] = 33
    let cut = boundaries(ContentRule(DetectorSettings()), scores(120, high)).last
    #expect(cut?.frame == 78 && cut?.score == 33 && cut?.shot == 3)
    #expect(cut?.streamTime == 3_120_000_000 && cut?.pts == 3_120_000_000 && cut?.runningTime == 3_120_000_000)
    #expect(cut?.transitionStart == 3_080_000_000 && cut?.transitionEnd == 3_120_000_000)
    #expect(cut?.kind == .cut && cut?.detector == "content")
  }

  @Test("Fifteen frames at 25 per second are 600 ms, fourteen are not")
  func exactMinimum() {
    #expect(frames(DetectorSettings(), [14: 50]) == [])
    #expect(frames(DetectorSettings(), [15: 50]) == [15])
    #expect(frames(DetectorSettings(), [50: 50, 65: 50]) == [50, 65])
  }

  @Test("At a variable rate the minimum shot is a duration, not a count")
  func variableRate() {
    var settings = DetectorSettings()
    settings.filter = .suppress
    var rule = ContentRule(settings)
    var findings = Findings()
    // Six frames 40 ms apart, then frames 200 ms apart: frame 7 is the first at 600 ms or later.
    let elapsed: [UInt64] = [0, 40, 80, 120, 160, 200, 400, 600, 800, 1000]
    for (frame, ms) in elapsed.enumerated() {
      let time = FrameTime(frame: UInt64(frame), elapsed: ms * 1_000_000)
      rule.see(frame == 6 || frame == 7 ? 50 : 1, at: time, into: &findings)
    }
    #expect(findings.boundaries.map(\.frame) == [7])
    #expect(findings.boundaries.first?.streamTime == nil)
  }

  @Test("The first frame never opens a shot, whatever the threshold")
  func firstFrame() {
    var settings = DetectorSettings(threshold: 0)
    settings.minimumShot = 0
    #expect(boundaries(ContentRule(settings), [nil, 0, 0]).map(\.frame) == [1, 2])
  }

  @Test("Threshold, filter and minimum shot change in mid-stream without losing history")
  func update() {
    var settings = DetectorSettings()
    var rule = ContentRule(settings)
    var findings = Findings()
    func feed(_ range: Range<Int>, _ high: Set<Int>, _ score: Double) {
      for frame in range { rule.see(high.contains(frame) ? score : 1, at: frameTime(frame), into: &findings) }
    }
    feed(0..<50, [30], 50)
    settings.threshold = 60
    rule.update(settings)
    feed(50..<100, [70], 50)
    settings.threshold = 40
    settings.filter = .suppress
    settings.minimumShot = 2_000_000_000
    rule.update(settings)
    #expect(rule.lookAhead == .none)
    // 79 is 49 frames after the cut at 30, 80 is 50.
    feed(100..<110, [], 50)
    feed(110..<200, [110, 159, 160], 50)
    #expect(findings.boundaries.map(\.frame) == [30, 110, 160])
    #expect(findings.boundaries.map(\.shot) == [2, 3, 4])
  }

  @Test("A burst in flight is given up when merging is switched off")
  func mergingOff() {
    var settings = DetectorSettings()
    var rule = ContentRule(settings)
    var findings = Findings()
    for frame in 0..<80 {
      rule.see(frame == 50 || (60...78).contains(frame) ? 50 : 1, at: frameTime(frame), into: &findings)
    }
    settings.filter = .suppress
    rule.update(settings)
    rule.finish(into: &findings)
    #expect(findings.boundaries.map(\.frame) == [50])
  }

  @Test("Reset forgets history and what is pending but keeps the numbering")
  func reset() {
    var rule = ContentRule(DetectorSettings())
    var findings = Findings()
    for frame in 0..<80 {
      rule.see(frame == 50 || (60...78).contains(frame) ? 50 : 1, at: frameTime(frame), into: &findings)
    }
    rule.reset()
    rule.see(nil, at: frameTime(200), into: &findings)
    rule.see(50, at: frameTime(215), into: &findings)
    rule.finish(into: &findings)
    #expect(findings.boundaries.map(\.frame) == [50, 215])
    #expect(findings.boundaries.map(\.shot) == [2, 3])
    #expect(rule.shot == 3)
  }

  @Test("Only merging looks ahead, by the minimum shot")
  func lookAhead() {
    var settings = DetectorSettings()
    #expect(ContentRule(settings).lookAhead == LookAhead(frames: 0, duration: 600_000_000))
    settings.minimumShot = 0
    #expect(ContentRule(settings).lookAhead == .none)
    settings.minimumShot = 1
    settings.filter = .suppress
    #expect(ContentRule(settings).lookAhead == .none)
    settings.adaptiveWindow = 3
    #expect(AdaptiveRule(settings).lookAhead == LookAhead(frames: 3))
  }
}

@Suite("Adaptive, histogram and hash") struct OtherRuleTests {
  @Test("A cut's score is the ratio that was compared")
  func adaptiveScore() {
    var settings = DetectorSettings(kind: .adaptive)
    let cut = boundaries(AdaptiveRule(settings), scores(60, [40: 30], quiet: 5)).first
    #expect(cut?.frame == 40 && cut?.score == 6)
    #expect(cut?.transitionStart == frameTime(39).streamTime && cut?.transitionEnd == frameTime(40).streamTime)
    // Still neighbours: the ratio is at its limit.
    #expect(boundaries(AdaptiveRule(settings), scores(60, [40: 30], quiet: 0)).first?.score == 255)
    settings.threshold = 6.5
    #expect(boundaries(AdaptiveRule(settings), scores(60, [40: 30], quiet: 5)).isEmpty)
  }

  @Test("Among still neighbours the minimum content score counts, itself included")
  func adaptiveAmongStill() {
    let settings = DetectorSettings(kind: .adaptive)
    #expect(boundaries(AdaptiveRule(settings), scores(60, [40: 15], quiet: 0)).map(\.frame) == [40])
    #expect(boundaries(AdaptiveRule(settings), scores(60, [40: 14.9], quiet: 0)).isEmpty)
  }

  @Test("A window out of range is brought into it")
  func window() {
    var settings = DetectorSettings(kind: .adaptive)
    settings.adaptiveWindow = .min
    #expect(AdaptiveRule(settings).lookAhead.frames == 1)
    settings.adaptiveWindow = .max
    #expect(AdaptiveRule(settings).lookAhead.frames == 1000)
  }

  @Test("Histogram and hash compare the right way round, thresholds included")
  func directions() {
    let histogram = DetectorSettings(kind: .histogram)
    #expect(boundaries(HistogramRule(histogram), scores(60, [20: 0.81, 40: 0.79], quiet: 1)).map(\.frame) == [40])
    let hash = DetectorSettings(kind: .hash)
    let found = boundaries(HashRule(hash), scores(60, [20: 22.0 / 64, 40: 23.0 / 64], quiet: 0))
    #expect(found.map(\.frame) == [40] && found.first?.score == 23.0 / 64 && found.first?.detector == "hash")
  }

  @Test("Changes in mid-stream keep the last cut")
  func update() {
    var settings = DetectorSettings(kind: .hash)
    var rule = HashRule(settings)
    var findings = Findings()
    for frame in 0..<60 {
      if frame == 30 {
        settings.threshold = 0.1
        settings.minimumShot = 800_000_000
        rule.update(settings)
      }
      rule.see(frame == 20 ? 0.5 : frame == 39 || frame == 40 ? 0.2 : 0, at: frameTime(frame), into: &findings)
    }
    #expect(findings.boundaries.map(\.frame) == [20, 40])
  }

  @Test("Scores and settings that are no numbers find nothing and stop nothing")
  func notNumbers() {
    for kind in DetectorKind.ofPixels {
      var settings = DetectorSettings(kind: kind, threshold: .nan)
      settings.fadeBias = .infinity
      var rule = AnyRule(settings)
      var findings = Findings()
      for frame in 0..<40 { rule.see([.nan, .infinity, -.infinity][frame % 3], frameTime(frame), &findings) }
      rule.finish(&findings)
      #expect(kind == .histogram || findings.boundaries.isEmpty)
    }
  }
}

@Suite("Threshold") struct ThresholdRuleTests {
  /// Light at 100 but dark in `range`.
  private func fade(_ range: Range<Int>, count: Int) -> [Double?] {
    (0..<count).map { range.contains($0) ? 2 : 100 }
  }

  @Test(
    "The bias moves the boundary from the fade-out to the fade-in, halves to even",
    arguments: [
      (-1.0, 40), (-0.5, 42), (0.0, 45), (0.5, 48), (1.0, 50), (-7.0, 40), (7.0, 50), (.nan, 45),
    ])
  func bias(_ bias: Double, _ frame: UInt64) {
    var settings = DetectorSettings(kind: .threshold)
    settings.fadeBias = bias
    let found = boundaries(ThresholdRule(settings), fade(40..<50, count: 80))
    #expect(found.map(\.frame) == [frame])
    let fade = found.first
    #expect(fade?.kind == .fade && fade?.score == 100)
    #expect(fade?.streamTime == frameTime(Int(frame)).streamTime && fade?.pts == frameTime(Int(frame)).pts)
    #expect(fade?.transitionStart == frameTime(39).streamTime && fade?.transitionEnd == frameTime(50).streamTime)
  }

  @Test("A stream that ends in the dark has its last boundary at the fade-out")
  func finalFade() {
    let found = boundaries(ThresholdRule(DetectorSettings(kind: .threshold)), fade(40..<80, count: 80))
    #expect(found.map(\.frame) == [40])
    #expect(found.first?.transitionEnd == nil && found.first?.transitionStart == frameTime(39).streamTime)
    #expect(found.first?.score == 2)
  }

  @Test("A final dark counts from the last cut, and its own length includes its last frame")
  func finalFadeLimits() {
    var settings = DetectorSettings(kind: .threshold)
    #expect(boundaries(ThresholdRule(settings), fade(10..<15, count: 15)).isEmpty)
    #expect(boundaries(ThresholdRule(settings), fade(10..<16, count: 16)).map(\.frame) == [10])
    settings.minimumDark = 120_000_000
    #expect(boundaries(ThresholdRule(settings), fade(40..<42, count: 42)).isEmpty)
    #expect(boundaries(ThresholdRule(settings), fade(40..<43, count: 43)).map(\.frame) == [40])
  }

  @Test("A stream that begins in the dark has no boundary at its first frame")
  func darkFromTheBeginning() {
    var settings = DetectorSettings(kind: .threshold)
    settings.fadeBias = -1
    #expect(boundaries(ThresholdRule(settings), fade(0..<30, count: 80)).isEmpty)
    #expect(boundaries(ThresholdRule(settings), fade(0..<80, count: 80)).isEmpty)
    settings.fadeBias = 0
    let found = boundaries(ThresholdRule(settings), fade(0..<30, count: 80))
    #expect(found.map(\.frame) == [15] && found.first?.transitionStart == nil)
  }

  @Test("A dark of an hour keeps memory bounded and gives the exact frame and time")
  func longDark() {
    var rule = ThresholdRule(DetectorSettings(kind: .threshold))
    var findings = Findings()
    let ntsc = rate(30000, 1001)
    let end = 108_001
    for frame in 0...end {
      rule.see(frame < 100 || frame == end ? 90 : 0, at: frameTime(frame, rate: ntsc), into: &findings)
    }
    let middle = 100 + (end - 100) / 2
    #expect(findings.boundaries.map(\.frame) == [UInt64(middle)])
    let time = Int64(findings.boundaries.first?.streamTime ?? 0)
    #expect(abs(time - Int64(ntsc.nanoseconds(of: UInt64(middle)))) <= 2)
  }

  @Test("In a dark of up to 500 frames the time is the frame's own at any rate")
  func variableRate() {
    var rule = ThresholdRule(DetectorSettings(kind: .threshold))
    var findings = Findings()
    var elapsed: UInt64 = 0
    var times: [UInt64] = []
    for frame in 0..<600 {
      times.append(elapsed)
      let time = FrameTime(frame: UInt64(frame), elapsed: elapsed, streamTime: 5 + elapsed)
      rule.see(frame < 60 || frame >= 540 ? 90 : 0, at: time, into: &findings)
      elapsed += UInt64(frame % 7 + 1) * 7_654_321
    }
    #expect(findings.boundaries.map(\.frame) == [300])
    #expect(findings.boundaries.first?.streamTime == 5 + times[300])
    #expect(findings.boundaries.first?.pts == nil)
  }
}
