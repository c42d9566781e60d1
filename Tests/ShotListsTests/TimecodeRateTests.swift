import ShotLists
import TestSupport
import Testing
import Timing

@Suite("Rates of timecodes") struct TimecodeRateTests {
  @Test(
    "A rate becomes one that timecodes have: near it, a part or a multiple of it, or the next faster",
    arguments: [
      // Near: as other people round.
      (rate(25), rate(25)), (rate(24000, 1001), rate(24000, 1001)), (rate(2997, 100), rate(30000, 1001)),
      (rate(19001, 317), rate(60000, 1001)), (rate(23976, 1000), rate(24000, 1001)), (rate(24), rate(24)),
      (rate(50, 2), rate(25)), (rate(48000, 1001), rate(48000, 1001)),
      // A part.
      (rate(120_000, 1001), rate(60000, 1001)), (rate(11988, 100), rate(60000, 1001)), (rate(1000), rate(50)), (rate(120), rate(60)),
      (rate(100), rate(50)), (rate(240), rate(60)), (rate(90), rate(30)), (rate(75), rate(25)), (rate(144), rate(48)),
      // A multiple.
      (rate(1, 5), rate(25)), (rate(15), rate(30)), (rate(15000, 1001), rate(30000, 1001)), (rate(12), rate(24)), (rate(25, 2), rate(25)),
      (rate(10), rate(30)), (rate(1), rate(25)),
      // None of these.
      (rate(50000, 2369), rate(24)), (rate(29), rate(30)), (rate(61), rate(60)), (rate(Int(UInt32.max), 1), rate(60)),
    ])
  func timecodeRates(_ rate: FrameRate, _ expected: FrameRate) {
    #expect(rate.timecodeRate == expected)
    #expect(Timecode(frame: rate.timecodeRate.nominal - 1, rate: rate.timecodeRate, dropFrame: true).description.utf8.count == 11)
  }

  @Test("At any rate a label is the time, to a frame: 23.976, 47.952 and their kin run behind by definition")
  func labelsAreTimes() {
    for (numerator, denominator) in [(1, 5), (50000, 2369), (120_000, 1001), (1000, 1), (30000, 1001), (7, 3), (17, 1), (1, 60)] {
      let counted = rate(numerator, denominator).timecodeRate
      for seconds in stride(from: UInt64(0), to: 86_400, by: 1234) {
        let code = Timecode(frame: counted.frame(at: seconds * 1_000_000_000), rate: counted, dropFrame: true)
        let label = Double(code.hours * 3600 + code.minutes * 60 + code.seconds) + Double(code.frames) / Double(counted.nominal)
        // Drop-frame is up to three frames and a tenth of a second in a day from it; a film's rate is behind by one in a thousand.
        let allowed = counted.denominator == 1 || counted.hasDropFrame ? 0.21 : 0.1 + Double(seconds) / 1000
        if abs(label - Double(seconds)) > allowed { Issue.record("\(code) at \(seconds) s of \(numerator)/\(denominator)") }
      }
    }
  }

  @Test(
    "Rates are read as people write them",
    arguments: [
      ("25", rate(25)), ("24000/1001", rate(24000, 1001)), ("29.97", rate(30000, 1001)), ("23.976", rate(24000, 1001)),
      ("23.98", rate(24000, 1001)), ("23.97", rate(24000, 1001)), ("59.94", rate(60000, 1001)), ("59.9401", rate(60000, 1001)),
      ("119.88", rate(120_000, 1001)), ("14.985", rate(15000, 1001)), ("12.5", rate(125, 10)), ("0.2", rate(2, 10)),
      ("25.0", rate(250, 10)),
      ("21.106", rate(21106, 1000)), ("24.5", rate(245, 10)),
    ])
  func texts(_ text: String, _ expected: FrameRate) {
    #expect(FrameRate(text) == expected)
  }

  @Test(
    "What is no rate is not read",
    arguments: [
      "", "0", "0/1", "1/0", "-25", "25/", "/1", "25fps", "29,97", ".", "25.", ".5", "1e3", "25/1/1", "99999999999", "nan", "0.0",
    ])
  func notRates(_ text: String) {
    #expect(FrameRate(text) == nil)
  }

  @Test("A rate is guessed from a frame's length, to a millisecond: whole where that is rounded")
  func guesses() {
    #expect(FrameRate.guessed(from: 33_366_667) == rate(30000, 1001) && FrameRate.guessed(from: 41_708_333) == rate(24000, 1001))
    #expect(FrameRate.guessed(from: 33_000_000) == rate(30) && FrameRate.guessed(from: 42_000_000) == rate(24))
    #expect(FrameRate.guessed(from: 40_000_000) == rate(25) && FrameRate.guessed(from: 20_000_000) == rate(50))
    #expect(FrameRate.guessed(from: 5_000_000_000) == nil && FrameRate.guessed(from: 0) == nil && FrameRate.guessed(from: .max) == nil)
  }
}
