import ShotLists
import Shots
import TestSupport
import Testing
import Timing

@Suite("Timecode") struct TimecodeTests {
  private let ntsc = rate(30000, 1001)
  private let ntsc60 = rate(60000, 1001)
  private let film = rate(24000, 1001)

  @Test(
    "Drop-frame labels leave out the numbers that SMPTE leaves out",
    arguments: [
      (0, "00:00:00;00"), (1799, "00:00:59;29"), (1800, "00:01:00;02"), (3597, "00:01:59;29"), (3598, "00:02:00;02"),
      (17981, "00:09:59;29"), (17982, "00:10:00;00"), (107892, "01:00:00;00"), (2_589_407, "23:59:59;29"),
      (2_589_408, "00:00:00;00"),
    ])
  func dropFrame(_ frame: UInt64, _ label: String) {
    #expect(Timecode(frame: frame, rate: ntsc, dropFrame: true).description == label)
  }

  @Test(
    "At 59.94 four numbers are left out",
    arguments: [
      (3599, "00:00:59;59"), (3600, "00:01:00;04"), (35964, "00:10:00;00"),
    ])
  func dropFrame60(_ frame: UInt64, _ label: String) {
    #expect(Timecode(frame: frame, rate: ntsc60, dropFrame: true).description == label)
  }

  @Test(
    "Every label reads back as its frame",
    arguments: [rate(30000, 1001), rate(60000, 1001), rate(24000, 1001), rate(25)])
  func roundTrip(_ rate: FrameRate) {
    for drop in [false, true] {
      for frame in stride(from: UInt64(0), to: 400_000, by: 7) {
        let code = Timecode(frame: frame, rate: rate, dropFrame: drop)
        if Timecode(code.description, rate: rate) != code || code.frame(at: rate) != frame {
          Issue.record("\(frame) became \(code)")
          return
        }
      }
    }
  }

  @Test("Drop-frame follows the clock to within two frames over a day")
  func clock() {
    let code = Timecode(frame: ntsc.frame(at: 12 * 3600 * 1_000_000_000), rate: ntsc, dropFrame: true)
    #expect(code.hours == 12 && code.minutes == 0 && code.seconds == 0 && code.frames <= 2)
  }

  @Test("Rates without drop-frame never get it")
  func noDropFrame() {
    #expect(!film.hasDropFrame && !rate(30).hasDropFrame && !rate(25).hasDropFrame && ntsc.hasDropFrame)
    #expect(rate(120_000, 1001).hasDropFrame && !rate(29, 1).hasDropFrame)
    #expect(Timecode(frame: 1800, rate: rate(30), dropFrame: true).description == "00:01:00:00")
  }

  @Test("23.976 does not drift: every frame's time leads back to the frame, for a day")
  func noDrift() {
    for frame in stride(from: UInt64(0), to: 24 * 86_400, by: 97)
    where film.frame(at: film.nanoseconds(of: frame)) != frame {
      Issue.record("frame \(frame)")
    }
    #expect(
      Timecode(frame: film.frame(at: 3_603_600_000_000), rate: film, dropFrame: false).description == "01:00:00:00")
  }

  @Test(
    "What is no timecode is not read",
    arguments: [
      "", "00:00:00", "00:01:00;00", "00:01:00;01", "00:00:00:30", "00:60:00:00", "24:00:00:00", "0a:00:00:00",
      "00-00-00-00",
      "00:00:00:", "00:00:00:99999999999999999999", "é0:00:00:00",
    ])
  func notTimecodes(_ text: String) {
    #expect(Timecode(text, rate: ntsc) == nil)
  }

  @Test(
    "Clock texts round to the nearest millisecond, halves to even",
    arguments: [
      (UInt64(0), "00:00:00.000"), (62_500_000, "00:00:00.062"), (187_500_000, "00:00:00.188"),
      (59_999_600_000, "00:01:00.000"), (3_599_999_999_999, "01:00:00.000"), (360_000_000_000_000, "100:00:00.000"),
      (.max, "5124095:34:33.710"),
    ])
  func clockTexts(_ nanoseconds: UInt64, _ text: String) {
    #expect(clockText(nanoseconds) == text)
  }

  @Test("Rates must be positive, and extreme ones stop nothing")
  func extremes() {
    #expect(FrameRate(0, 1) == nil && FrameRate(1, 0) == nil && FrameRate(-1, 1) == nil)
    for extreme in [rate(Int(UInt32.max), 1), rate(1, Int(UInt32.max))] {
      _ = Timecode(frame: extreme.frame(at: .max), rate: extreme, dropFrame: true)
      _ = extreme.nanoseconds(of: .max)
      #expect(extreme.nominal >= 1)
    }
  }
}
