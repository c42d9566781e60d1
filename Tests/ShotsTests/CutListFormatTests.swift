import Glibc
import Shots
import Testing

@Suite("Cut list formats") struct CutListFormatTests {
  /// The list of Tests/tools/make_list_fixtures.py.
  private static let cuts = [37, 45, 285, 378, 1145, 1995, 35964, 54015, 86500, 99975, 100_000]
  private static let end = 100_123

  static func boundary(_ shot: Int, at time: FrameTime) -> Boundary {
    Boundary(
      kind: .cut, shot: UInt64(shot), frame: time.frame, pts: time.pts, runningTime: time.runningTime,
      streamTime: time.streamTime, transitionStart: time.streamTime.map { $0 - 1 }, transitionEnd: time.streamTime,
      score: 31.5, detector: "content")
  }

  private static func shots(_ rate: FrameRate, cuts: [Int] = cuts, end: Int = end, begin: UInt64 = 0) -> [Shot] {
    var tracker = ShotTracker(rate: rate)
    tracker.begin(at: frameTime(0, rate: rate, begin: begin))
    var shots = cuts.enumerated().compactMap {
      tracker.see(boundary($0.offset + 2, at: frameTime($0.element, rate: rate, begin: begin)))
    }
    if let last = tracker.finish(endFrame: UInt64(end), end: begin + rate.nanoseconds(of: UInt64(end))) {
      shots.append(last)
    }
    return shots
  }

  private static func list(_ format: CutListFormat, _ options: CutListOptions, _ shots: [Shot]) -> String {
    let formatter = format.formatter(options)
    var summary = CutListSummary()
    for shot in shots { summary.add(shot) }
    return formatter.head(summary) + shots.map { formatter.opening($0.opening) + formatter.shot($0) }.joined()
      + formatter.foot
  }

  @Test(
    "CSV equals what PySceneDetect writes, byte for byte",
    arguments: [
      ("24", rate(24)), ("ntsc-film", rate(24000, 1001)), ("ntsc", rate(30000, 1001)), ("16", rate(16)),
    ])
  func csv(_ name: String, _ rate: FrameRate) {
    #expect(Self.list(.csv, CutListOptions(rate: rate), Self.shots(rate)) == fixture("scenes-\(name).csv"))
  }

  @Test("JSON Lines hold every field of every boundary, null where it is unknown")
  func jsonl() {
    var bare = Boundary(kind: .fade, shot: 3, frame: 90, score: .nan, detector: "a\"\u{1}\\é")
    bare.transitionEnd = .max
    var tracker = ShotTracker()
    tracker.begin(at: frameTime(0))
    let shots =
      [Self.boundary(2, at: frameTime(25)), bare].compactMap { tracker.see($0) }
      + [tracker.finish(endFrame: 100, end: nil)].compactMap(\.self)
    #expect(
      Self.list(.jsonl, CutListOptions(), shots) == """
        {"kind":"cut","shot":2,"frame":25,"pts":1000000000,"running-time":1000000000,"stream-time":1000000000,\
        "transition-start":999999999,"transition-end":1000000000,"score":31.5,"detector":"content"}
        {"kind":"fade","shot":3,"frame":90,"pts":null,"running-time":null,"stream-time":null,"transition-start":null,\
        "transition-end":18446744073709551615,"score":null,"detector":"a\\"\\u0001\\\\é"}

        """)
  }

  @Test("EDL counts frames and gives 29.97 drop-frame timecodes")
  func edl() {
    let options = CutListOptions(title: "Ein\nFilm", rate: rate(30000, 1001))
    #expect(
      Self.list(.edl, options, Self.shots(options.rate, cuts: [37, 17982], end: 18000)) == """
        TITLE: Ein Film
        FCM: DROP FRAME

        001  AX       V     C        00:00:00;00 00:00:01;07 00:00:00;00 00:00:01;07
        * FROM CLIP NAME: Ein Film shot 1
        002  AX       V     C        00:00:01;07 00:10:00;00 00:00:01;07 00:10:00;00
        * FROM CLIP NAME: Ein Film shot 2
        003  AX       V     C        00:10:00;00 00:10:00;18 00:10:00;00 00:10:00;18
        * FROM CLIP NAME: Ein Film shot 3

        """)
  }

  @Test("At 23.976 the EDL is exact on every frame of an hour and a half")
  func edlDoesNotDrift() {
    let film = rate(24000, 1001)
    let cuts = Array(stride(from: 97, to: 129_600, by: 97))
    let lines = Self.list(.edl, CutListOptions(rate: film), Self.shots(film, cuts: cuts, end: 129_600)).split("\n")
    let events = lines.filter { $0.contains(" V     C ") }
    #expect(lines[1] == "FCM: NON-DROP FRAME" && events.count == cuts.count + 1)
    let starts = events.dropFirst().compactMap { Timecode($0.split(separator: " ")[4], rate: film)?.frame(at: film) }
    #expect(starts == cuts.map(UInt64.init))
  }

  @Test("A list without drop-frame says so")
  func edlWithoutDropFrame() {
    var options = CutListOptions(rate: rate(30000, 1001))
    options.dropFrame = false
    let text = Self.list(.edl, options, Self.shots(options.rate, cuts: [1800], end: 1900))
    #expect(text.contains("FCM: NON-DROP FRAME") && text.contains("00:01:00:00"))
  }

  @Test("OTIO has a clip a shot in frames, and the boundary as metadata")
  func otio() {
    var options = CutListOptions(title: "\"é\"\t", rate: rate(24000, 1001))
    options.source = "file:///a.mp4"
    let text = Self.list(.otio, options, Self.shots(options.rate, cuts: [100], end: 240))
    #expect(text.hasPrefix("{\"OTIO_SCHEMA\":\"Timeline.1\",\"name\":\"\\\"é\\\"\\t\","))
    #expect(
      text.contains(
        """
        ,{"OTIO_SCHEMA":"Clip.2","name":"Shot 2","source_range":{"OTIO_SCHEMA":"TimeRange.1","start_time":\
        {"OTIO_SCHEMA":"RationalTime.1","rate":23.976023976023978,"value":100.0},"duration":\
        {"OTIO_SCHEMA":"RationalTime.1","rate":23.976023976023978,"value":140.0}}
        """))
    #expect(
      text.contains("\"target_url\":\"file:///a.mp4\"") && text.contains("{\"gst-shots\":{\"kind\":\"cut\",\"shot\":2"))
    #expect(text.hasSuffix("]}]}}\n"))
  }

  @Test("FCPXML has times that are whole frames, and durations when finished")
  func fcpxml() {
    var options = CutListOptions(title: "<Tom & \"Jerry\">\n", rate: rate(24000, 1001))
    (options.width, options.height) = (1280, 720)
    let shots = Self.shots(options.rate, cuts: [100, 24000], end: 24240)
    let text = Self.list(.fcpxml, options, shots)
    #expect(text.contains("name=\"&lt;Tom &amp; &quot;Jerry&quot;&gt;&#10;\""))
    #expect(text.contains("<format id=\"r1\" frameDuration=\"1001/24000s\" width=\"1280\" height=\"720\"/>"))
    #expect(text.contains("src=\"file:///%3CTom%20%26%20%22Jerry%22%3E%0A\""))
    #expect(
      text.contains(
        "<asset-clip name=\"Shot 2\" ref=\"r2\" offset=\"100100/24000s\" start=\"100100/24000s\" duration=\"23923900/24000s\"/>"
      ))
    #expect(text.contains("offset=\"1001s\""))
    #expect(text.contains("<sequence format=\"r1\" duration=\"24264240/24000s\" tcStart=\"0s\" tcFormat=\"NDF\">"))
    let running = CutListFormat.fcpxml.formatter(options)
    #expect(!running.head(nil).contains(" duration="))
  }

  @Test("A stream that begins in mid-file keeps the file's times")
  func beginning() {
    let shots = Self.shots(rate(25), cuts: [50], end: 100, begin: 10_000_000_000)
    #expect(Self.list(.edl, CutListOptions(rate: rate(25)), shots).contains("00:00:12:00 00:00:14:00"))
    let xml = Self.list(.fcpxml, CutListOptions(rate: rate(25)), shots)
    #expect(xml.contains("<asset id=\"r2\" name=\"Untitled\" start=\"10s\" duration=\"4s\""))
    #expect(
      Self.list(.csv, CutListOptions(), shots).contains(
        "1,1,00:00:10.000,10.000,50,00:00:12.000,12.000,50,00:00:02.000,2.000"))
  }

  @Test("WebVTT has a cue a shot and no arrow in its title")
  func webvtt() {
    let shots = Self.shots(rate(25), cuts: [50], end: 100)
    #expect(
      Self.list(.webvtt, CutListOptions(title: "a --> b\r\n\nc"), shots) == """
        WEBVTT - a --\u{203A} b   c

        1
        00:00:00.000 --> 00:00:02.000
        Shot 1

        2
        00:00:02.000 --> 00:00:04.000
        Shot 2


        """)
  }

  @Test("The QP file asks for an I frame at every shot")
  func qp() {
    #expect(
      Self.list(.qp, CutListOptions(), Self.shots(rate(25), cuts: [50, 75], end: 100)) == "0 I -1\n50 I -1\n75 I -1\n")
  }
}

@Suite("Shots from boundaries") struct ShotTrackerTests {
  private func boundary(_ frame: UInt64, _ streamTime: UInt64?) -> Boundary {
    Boundary(kind: .cut, shot: 9, frame: frame, streamTime: streamTime, score: 0, detector: "x")
  }

  @Test("A boundary closes the open shot; the end closes the last")
  func shots() {
    var tracker = ShotTracker()
    tracker.begin(at: frameTime(0, begin: 5))
    let first = tracker.see(boundary(10, 400_000_005))
    #expect(first == Shot(opening: ShotOpening(ordinal: 1, firstFrame: 0, start: 5), endFrame: 10, end: 400_000_005))
    let last = tracker.finish(endFrame: 30, end: 1_200_000_005)
    #expect(last?.ordinal == 2 && last?.firstFrame == 10 && last?.endFrame == 30 && last?.duration == 800_000_000)
    #expect(last?.opening.boundary?.frame == 10)
    #expect(tracker.finish(endFrame: 40, end: nil) == nil)
  }

  @Test("Boundaries that are not after the shot's beginning, and empty last shots, are ignored")
  func nonsense() {
    var tracker = ShotTracker()
    #expect(tracker.finish(endFrame: 10, end: nil) == nil)
    tracker.begin(at: frameTime(0))
    #expect(tracker.see(boundary(0, 0)) == nil)
    #expect(tracker.see(boundary(5, 200_000_000)) != nil)
    #expect(tracker.see(boundary(5, 200_000_000)) == nil)
    #expect(tracker.see(boundary(4, 100_000_000)) == nil)
    #expect(tracker.finish(endFrame: 5, end: nil) == nil)
  }

  @Test("Times that run backwards give an empty duration, not a trap")
  func backwards() {
    var tracker = ShotTracker()
    tracker.begin(at: frameTime(0, begin: 1_000))
    #expect(tracker.see(boundary(5, 10))?.duration == 0)
    #expect(tracker.see(boundary(.max, .max))?.end == .max)
  }

  @Test("Without timestamps times are frames at the rate")
  func withoutTimes() {
    var tracker = ShotTracker(rate: rate(50))
    tracker.begin(at: FrameTime(frame: 0, elapsed: 0))
    #expect(tracker.see(boundary(50, nil))?.end == 1_000_000_000)
    #expect(tracker.finish(endFrame: 100, end: nil)?.end == 2_000_000_000)
  }
}

@Suite("Lists for other tools") struct ListsForOtherTools {
  /// Writes a list of every format at three rates, for Tests/tools/check_lists.py to read back with other people's
  /// readers.
  @Test("Lists are written for the readers of other tools", .enabled(if: folder != nil))
  func write() throws {
    let folder = try #require(Self.folder)
    let errors = Errors()
    for (name, rate) in [("24", rate(24)), ("film", rate(24000, 1001)), ("ntsc", rate(30000, 1001))] {
      for format in CutListFormat.allCases {
        var options = CutListOptions(title: "Tom & \"Jerry\" <é>\u{1}\n\\ 😀", rate: rate)
        (options.width, options.height, options.source) = (1280, 720, "file:///film%20%C3%A9.mp4")
        let file = CutListFile(path: "\(folder)/\(name).\(format.rawValue)", format: format, options: options) {
          errors.add($0)
        }
        file.begin(at: frameTime(0, rate: rate))
        for (index, cut) in Self.cuts.enumerated() {
          file.see(CutListFormatTests.boundary(index + 2, at: frameTime(cut, rate: rate)))
        }
        file.end(endFrame: 130_000, end: rate.nanoseconds(of: 130_000))
        file.close()
      }
    }
    #expect(errors.list.isEmpty)
  }

  private static let cuts = Array(stride(from: 131, to: 130_000, by: 131))
  private static var folder: String? { getenv("GST_SHOTS_LISTS").map { String(cString: $0) } }
}
