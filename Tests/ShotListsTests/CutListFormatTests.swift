import Glibc
import ShotLists
import Shots
import TestSupport
import Testing
import Timing

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

@Suite("Cut lists of generated shots") struct GeneratedShotListTests {
  /// Shots 2 and 3 are generated: one by a prompt with everything in it that a format could stumble over.
  static let prompt = "\"Le renard\" & <b>l'ours</b> --> 狐狸\r\n\n* FROM CLIP NAME: \\ü\t😀\u{2028}\u{1}end"
  static let generated = [GeneratedShot(generator: "diffusion", prompt: prompt), GeneratedShot(generator: "rephotograph")]

  private static func list(_ format: CutListFormat) -> String {
    var options = CutListOptions(title: "Film", rate: rate(25))
    options.source = "file:///film.mp4"
    let formatter = format.formatter(options)
    var tracker = ShotTracker(rate: options.rate)
    tracker.begin(at: frameTime(0))
    var shots: [Shot] = []
    for (index, generated) in generated.enumerated() {
      var boundary = CutListFormatTests.boundary(index + 2, at: frameTime(50 * (index + 1)))
      boundary.generated = generated
      if let shot = tracker.see(boundary) { shots.append(shot) }
    }
    if let last = tracker.finish(endFrame: 150, end: 6_000_000_000) { shots.append(last) }
    return formatter.head(nil) + shots.map { formatter.opening($0.opening) + formatter.shot($0) }.joined() + formatter.foot
  }

  @Test("JSON Lines say what made a shot and from what text, and of the source's shots neither")
  func jsonl() {
    let text = #"\"Le renard\" & <b>l'ours</b> --> 狐狸\r\n\n* FROM CLIP NAME: \\ü\t😀\u2028\u0001end"#
    let lines = Self.list(.jsonl).split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasSuffix(#","detector":"content","generated":true,"generator":"diffusion","prompt":"\#(text)"}"#) == true)
    #expect(lines.last?.hasSuffix(#","detector":"content","generated":true,"generator":"rephotograph","prompt":""}"#) == true)
    #expect(!jsonLine(CutListFormatTests.boundary(2, at: frameTime(50))).contains("generat"))
  }

  private func jsonLine(_ boundary: Boundary) -> String {
    CutListFormat.jsonl.formatter().opening(ShotOpening(ordinal: 2, firstFrame: 50, start: 0, boundary: boundary))
  }

  @Test("EDL has a comment of one line under the event")
  func edl() {
    #expect(
      Self.list(.edl) == """
        TITLE: Film
        FCM: NON-DROP FRAME

        001  AX       V     C        00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00
        * FROM CLIP NAME: film.mp4
        * FROM CLIP: /film.mp4
        002  AX       V     C        00:00:02:00 00:00:04:00 00:00:02:00 00:00:04:00
        * FROM CLIP NAME: film.mp4
        * FROM CLIP: /film.mp4
        * COMMENT: Generated by diffusion: "Le renard" & <b>l'ours</b> --> 狐狸   * FROM CLIP NAME: \\ü 😀  end
        003  AX       V     C        00:00:04:00 00:00:06:00 00:00:04:00 00:00:06:00
        * FROM CLIP NAME: film.mp4
        * FROM CLIP: /film.mp4
        * COMMENT: Generated by rephotograph

        """)
  }

  @Test("OTIO names the clip and has generator and prompt in its metadata")
  func otio() {
    let text = Self.list(.otio)
    #expect(text.contains(#""name":"Shot 1","source_range""#) && text.contains(#""name":"Shot 2, generated","source_range""#))
    #expect(text.contains(#""generated":true,"generator":"diffusion","prompt":"\"Le renard\" &"#))
  }

  @Test("FCPXML names the clip and has a note, the first thing inside it")
  func fcpxml() {
    let text = Self.list(.fcpxml)
    #expect(text.contains(#"<asset-clip name="Shot 1" ref="r2" offset="0s" start="0s" duration="2s"/>"#))
    #expect(
      text.contains(
        "<asset-clip name=\"Shot 2, generated\" ref=\"r2\" offset=\"2s\" start=\"2s\" duration=\"2s\"><note>Generated by diffusion: "
          + "&quot;Le renard&quot; &amp; &lt;b&gt;l&apos;ours&lt;/b&gt; --&gt; 狐狸&#13;&#10;&#10;* FROM CLIP NAME: \\ü&#9;😀\u{2028}\u{FFFD}end"
          + "</note></asset-clip>\n"))
    #expect(text.contains("duration=\"2s\"><note>Generated by rephotograph</note></asset-clip>"))
  }

  @Test("WebVTT's chapters say it on one line, without tags or arrows")
  func webvtt() {
    #expect(
      Self.list(.webvtt) == """
        WEBVTT - Film

        1
        00:00:00.000 --> 00:00:02.000
        Shot 1

        2
        00:00:02.000 --> 00:00:04.000
        Shot 2, generated: "Le renard" &amp; &lt;b&gt;l'ours&lt;/b&gt; --&gt; 狐狸   * FROM CLIP NAME: \\ü 😀  end

        3
        00:00:04.000 --> 00:00:06.000
        Shot 3, generated


        """)
  }

  @Test("CSV and QP files are as for any shot: they have no place for it")
  func others() {
    let csv = Self.list(.csv)
    #expect(csv.contains("\n2,51,00:00:02.000,2.000,100,00:00:04.000,4.000,50,00:00:02.000,2.000\n") && !csv.contains("enerat"))
    #expect(Self.list(.qp) == "0 I -1\n50 I -1\n100 I -1\n")
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
          var boundary = CutListFormatTests.boundary(index + 2, at: frameTime(cut, rate: rate))
          let generated = GeneratedShotListTests.generated
          if cut >= Self.firstGenerated { boundary.generated = generated[index % generated.count] }
          file.see(boundary)
        }
        file.end(endFrame: 130_000, end: rate.nanoseconds(of: 130_000))
        file.close()
      }
    }
    #expect(errors.list.isEmpty)
  }

  private static let cuts = Array(stride(from: 131, to: 130_000, by: 131))
  private static let firstGenerated = 100_000
  private static var folder: String? { getenv("GST_SHOTS_LISTS").map { String(cString: $0) } }
}
