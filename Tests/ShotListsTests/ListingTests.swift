import ShotLists
import Shots
import TestSupport
import Testing
import Timing

@Suite("Listings") struct ListingTests {
  private let folder = TemporaryFolder()
  private let errors = Errors()

  /// A stretch of a stream: so many frames from a stream time on, of a film, with a boundary at each of these frames of it.
  private struct Stretch {
    var frames: UInt64
    var begin: ClockTime = 0
    var cuts: [UInt64] = []
    var source = ListClock.Source()
    var isFlushedAfter = false
  }

  private func settings(_ format: CutListFormat, _ change: (inout ListingSettings) -> Void = { _ in }) -> ListingSettings {
    var settings = ListingSettings()
    (settings.location, settings.format) = ("\(folder.path)/list", format)
    change(&settings)
    return settings
  }

  /// The list of these stretches, one after the other in running time; and the warnings.
  private func list(_ settings: ListingSettings, rate: FrameRate? = rate(25), _ stretches: [Stretch]) throws -> (
    text: String, warnings: [String]
  ) {
    var listing = Listing(settings) { [errors] in errors.add($0) }
    listing.configure(rate: rate, width: 64, height: 36)
    let frame = (rate ?? .fallback).nanoseconds(of: 1)
    var (index, running, warnings) = (UInt64(0), ClockTime(0), [String]())
    for stretch in stretches {
      for number in 0..<stretch.frames {
        let passed = (rate ?? .fallback).nanoseconds(of: number)
        let time = BufferTime(
          pts: stretch.begin + passed, duration: rate == nil ? nil : frame, runningTime: running + passed,
          streamTime: stretch.begin + passed)
        let segment = SegmentPlace(time: stretch.begin)
        if let warning = try listing.see(time, index: index, segment: segment, source: { stretch.source }) { warnings.append(warning) }
        if stretch.cuts.contains(number) {
          listing.take(
            Boundary(
              kind: .cut, shot: 2, frame: index, runningTime: time.runningTime, streamTime: time.streamTime, score: 30, detector: "content")
          )
        }
        index += 1
      }
      running += (rate ?? .fallback).nanoseconds(of: stretch.frames)
      if stretch.isFlushedAfter {
        listing.flush()
        running = 0
      }
    }
    listing.end()
    listing.close()
    #expect(errors.list.isEmpty)
    return (text(of: settings.location ?? ""), warnings)
  }

  private func events(_ text: String) -> [String] {
    text.split("\n").filter { $0.contains(" V     C ") }.map { $0.split(separator: " ").suffix(4).joined(separator: " ") }
  }

  private static let one = ListClock.Source(uri: "file:///films/one%20%C3%A9.mp4", identity: "1")
  private static let two = ListClock.Source(uri: "file:///films/two.ts", identity: "2")
  /// Two films: cuts in both, and one where the second begins.
  private static let films = [
    Stretch(frames: 100, cuts: [41], source: one), Stretch(frames: 50, begin: 783_333_333, cuts: [0, 20], source: two),
  ]

  @Test("Two films in one stream: events take from each film what is in it, and follow each other")
  func edlOfTwo() throws {
    let text = try list(settings(.edl), Self.films).text
    #expect(
      events(text) == [
        "00:00:00:00 00:00:01:16 00:00:00:00 00:00:01:16", "00:00:01:16 00:00:04:00 00:00:01:16 00:00:04:00",
        "00:00:00:00 00:00:00:20 00:00:04:00 00:00:04:20", "00:00:00:20 00:00:02:00 00:00:04:20 00:00:06:00",
      ])
    #expect(text.contains("* FROM CLIP NAME: one é.mp4\n* FROM CLIP: /films/one é.mp4\n"))
    #expect(text.contains("* FROM CLIP NAME: two.ts\n* FROM CLIP: /films/two.ts\n"))
    #expect(text.hasPrefix("TITLE: one é.mp4\n"))
  }

  @Test("The CSV of two films runs on, in frames and in time")
  func csvOfTwo() throws {
    let lines = try list(settings(.csv), Self.films).text.split("\n")
    #expect(lines[0] == "Timecode List:,00:00:01.640,00:00:04.000,00:00:04.800")
    #expect(lines[3] == "2,42,00:00:01.640,1.640,100,00:00:04.000,4.000,59,00:00:02.360,2.360")
    #expect(lines[4] == "3,101,00:00:04.000,4.000,120,00:00:04.800,4.800,20,00:00:00.800,0.800")
  }

  @Test("FCPXML has an asset for each film, and a spine without holes that is as long as its sequence")
  func fcpxmlOfTwo() throws {
    let text = try list(settings(.fcpxml), Self.films).text
    #expect(text.contains(#"<asset id="r2" name="one é.mp4" start="0s" duration="4s" hasVideo="1" format="r1">"#))
    #expect(text.contains(#"<media-rep kind="original-media" src="file:///films/one%20%C3%A9.mp4"/>"#))
    #expect(text.contains(#"<asset id="r3" name="two.ts" start="0s" duration="2s" hasVideo="1" format="r1">"#))
    #expect(text.contains(#"<sequence format="r1" duration="6s" tcStart="0s" tcFormat="NDF">"#))
    #expect(text.contains(#"ref="r3" offset="4s" start="0s" duration="20/25s"/>"#))
    #expect(text.contains(#"ref="r3" offset="120/25s" start="20/25s" duration="30/25s"/>"#))
    #expect(text.ranges(of: "</asset>").count == 2 && text.ranges(of: "<asset-clip").count == 4)
  }

  @Test("OTIO's clips name their films")
  func otioOfTwo() throws {
    let text = try list(settings(.otio), Self.films).text
    #expect(text.ranges(of: #""target_url":"file:///films/one%20%C3%A9.mp4""#).count == 2)
    #expect(text.ranges(of: #""name":"two.ts","target_url":"file:///films/two.ts""#).count == 2)
  }

  @Test("No shot lies in two films, also where no boundary is told between them or the next one is told late")
  func splitAtJoin() throws {
    let text = try list(settings(.edl), [Stretch(frames: 50), Stretch(frames: 50, cuts: [25]), Stretch(frames: 25), Stretch(frames: 25)])
      .text
    #expect(
      events(text).map { $0.prefix(23) } == [
        "00:00:00:00 00:00:02:00", "00:00:00:00 00:00:01:00", "00:00:01:00 00:00:02:00", "00:00:00:00 00:00:01:00",
        "00:00:00:00 00:00:01:00",
      ])
    #expect(try list(settings(.qp), [Stretch(frames: 50), Stretch(frames: 50)]).text == "0 I -1\n50 I -1\n")
    #expect(try list(settings(.jsonl), [Stretch(frames: 50), Stretch(frames: 50)]).text == "")
  }

  @Test("What is flushed was never there, whatever had been listed of it", arguments: CutListFormat.allCases)
  func flushed(_ format: CutListFormat) throws {
    let second = ClockTime.milliseconds(1000)
    let sought = Stretch(frames: 100, begin: 10 * second, cuts: [56], source: Self.one)
    let before = [
      Stretch(frames: 1, source: Self.one, isFlushedAfter: true),
      Stretch(frames: 200, begin: 0, cuts: [50, 100], source: Self.one, isFlushedAfter: true),
      Stretch(frames: 7, begin: 0, cuts: [3], source: Self.one, isFlushedAfter: true),
    ]
    let all = before.map { try? list(settings(format), [$0, sought]).text } + [try? list(settings(format), before + [sought]).text]
    #expect(Set(all).count == 1)
    let text = try #require(all[0])
    switch format {
    case .csv:
      #expect(text.split("\n")[2] == "1,1,00:00:10.000,10.000,56,00:00:12.240,12.240,56,00:00:02.240,2.240")
    case .qp: #expect(text == "0 I -1\n56 I -1\n")
    case .edl: #expect(events(text)[0] == "00:00:10:00 00:00:12:06 00:00:10:00 00:00:12:06")
    case .fcpxml:
      #expect(text.contains(#"duration="4s" tcStart="10s""#) && text.contains(#"offset="10s" start="10s" duration="56/25s""#))
    case .jsonl: #expect(text.hasPrefix(#"{"kind":"cut","shot":2,"frame":56,"#) && text.contains(#""stream-time":12240000000,"#))
    case .otio: #expect(text.contains(#""value":250.0},"duration""#) && text.contains(#""frame":56,"#))
    case .webvtt: #expect(text.contains("00:00:10.000 --> 00:00:12.240"))
    }
  }

  @Test("A list of which all was flushed has no shots")
  func allFlushed() throws {
    let text = try list(settings(.csv), [Stretch(frames: 50, cuts: [25], isFlushedAfter: true)]).text
    #expect(text.split("\n").count == 3 && text.hasPrefix("Timecode List:\nScene Number"))
  }

  @Test("A stream that goes on behind its end goes on in the list", arguments: [CutListFormat.csv, .otio])
  func ended(_ format: CutListFormat) throws {
    let settings = settings(format)
    var listing = Listing(settings) { [errors] in errors.add($0) }
    listing.configure(rate: rate(25), width: 64, height: 36)
    for index in 0..<100 as Range<UInt64> {
      let time = ClockTime.milliseconds(40 * index)
      _ = try listing.see(BufferTime(pts: time, runningTime: time, streamTime: time), index: index)
      if index == 49 { listing.end() }
    }
    listing.close()
    let text = text(of: settings.location ?? "")
    if format == .csv {
      #expect(text.contains("\n1,1,00:00:00.000,0.000,50,00:00:02.000,") && text.contains("\n2,51,00:00:02.000,2.000,100,00:00:04.000,"))
    } else {
      #expect(text.ranges(of: "\n,{").count == 1)
    }
    #expect(errors.list.isEmpty)
  }

  @Test("A start timecode moves EDL, OTIO and FCPXML, the film's own likewise; the other lists it does not")
  func startTimecode() throws {
    let stretch = [Stretch(frames: 50, cuts: [25])]
    func start(_ settings: inout ListingSettings) { settings.startTimecode = "01:00:00:12" }
    #expect(events(try list(settings(.edl, start), stretch).text)[1] == "01:00:01:12 01:00:02:12 01:00:01:12 01:00:02:12")
    let xml = try list(settings(.fcpxml, start), stretch).text
    #expect(xml.contains(#"start="90012/25s" duration="2s""#) && xml.contains(#"duration="2s" tcStart="90012/25s""#))
    #expect(xml.contains(#"offset="90037/25s" start="90037/25s" duration="1s""#))
    let otio = try list(settings(.otio, start), stretch).text
    #expect(otio.contains(#""global_start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":25.0,"value":90012.0}"#))
    #expect(otio.contains(#""rate":25.0,"value":90037.0},"duration""#))
    #expect(try list(settings(.csv, start), stretch).text == list(settings(.csv), stretch).text)

    var labelled = stretch
    labelled[0].source.timecode = StartTimecode(
      Timecode(hours: 10, minutes: 0, seconds: 0, frames: 30, dropFrame: false, rate: rate(50)), rate: rate(50))
    #expect(events(try list(settings(.edl), labelled).text)[1] == "10:00:01:15 10:00:02:15 10:00:01:15 10:00:02:15")
    #expect(events(try list(settings(.edl, start), labelled).text)[0].hasPrefix("01:00:00:12"))
  }

  @Test("A timecode's own counting, drop-frame or not, is the list's")
  func counting() throws {
    for (text, expected) in [
      ("01:00:00;00", "01:00:00;25 01:00:01;20"), ("01:00:00:00", "01:00:00:25 01:00:01:20"), (nil, "00:00:00;25 00:00:01;20"),
    ] {
      let settings = settings(.edl) { $0.startTimecode = text }
      #expect(events(try list(settings, rate: rate(30000, 1001), [Stretch(frames: 50, cuts: [25])]).text)[1].hasPrefix(expected))
    }
  }

  @Test("Each film of several has the timecodes that it begins with; the list goes on with the first one's")
  func timecodesOfTwo() throws {
    var films = Self.films
    for (index, hours) in [10, 5].enumerated() {
      films[index].source.timecode = StartTimecode(
        Timecode(hours: UInt64(hours), minutes: 0, seconds: 0, frames: 0, dropFrame: false, rate: rate(25)), rate: rate(25))
    }
    #expect(events(try list(settings(.edl), films).text)[2] == "05:00:00:00 05:00:00:20 10:00:04:00 10:00:04:20")
  }

  @Test("An unknown rate is guessed, with one warning that names frame-rate, where there are timecodes", arguments: CutListFormat.allCases)
  func guessed(_ format: CutListFormat) throws {
    let stretches = [Stretch(frames: 50, cuts: [25], isFlushedAfter: true), Stretch(frames: 50, cuts: [25])]
    let warnings = try list(settings(format), rate: nil, stretches).warnings
    #expect(warnings.count == (format.hasTimecodes ? 1 : 0))
    #expect(warnings.allSatisfy { $0.contains("frame-rate") && $0.contains("25 frames a second") })
    #expect(try list(settings(format) { $0.frameRate = "29.97" }, rate: nil, stretches).warnings.isEmpty)
    #expect(try list(settings(format), stretches).warnings.isEmpty)
  }

  @Test(
    "At rates that no timecode has, labels are times all the same",
    arguments: [
      (rate(1, 5), "00:00:05:00"), (rate(50000, 2369), "00:00:00:01"), (rate(120_000, 1001), "00:00:00;01"), (rate(1000), "00:00:00:00"),
    ])
  func oddRates(_ rate: FrameRate, _ second: String) throws {
    let text = try list(settings(.edl), rate: rate, [Stretch(frames: 3, cuts: [1])]).text
    #expect(events(text).last?.hasPrefix(second) == true)
  }

  @Test("A film of one picture is one frame of the rate long")
  func onePicture() throws {
    #expect(
      try list(settings(.csv), rate: nil, [Stretch(frames: 1)]).text.split("\n")[2]
        == "1,1,00:00:00.000,0.000,1,00:00:00.040,0.040,1,00:00:00.040,0.040")
    #expect(events(try list(settings(.edl), rate: nil, [Stretch(frames: 1)]).text) == ["00:00:00:00 00:00:00:01 00:00:00:00 00:00:00:01"])
  }

  @Test("source goes before what the stream tells of its first film")
  func source() throws {
    let text = try list(settings(.otio) { $0.source = "file:///mine.mov" }, Self.films).text
    #expect(text.ranges(of: #""target_url":"file:///mine.mov""#).count == 2 && text.ranges(of: "file:///films/two.ts").count == 2)
  }

  @Test("A generated shot is not said to be in the film that the stream tells of, but in one that source names")
  func generated() throws {
    for (source, names) in [(nil, ["one é.mp4", "one é.mp4 shot 2"]), ("file:///out.mp4", ["out.mp4", "out.mp4"])] {
      let settings = settings(.edl) { $0.source = source }
      var listing = Listing(settings) { [errors] in errors.add($0) }
      listing.configure(rate: rate(25), width: 64, height: 36)
      for index in 0..<50 as Range<UInt64> {
        let time = ClockTime.milliseconds(40 * index)
        _ = try listing.see(BufferTime(pts: time, runningTime: time, streamTime: time), index: index, source: { Self.one })
        guard index == 25 else { continue }
        listing.take(
          Boundary(
            kind: .cut, shot: 2, frame: index, runningTime: time, streamTime: time, score: 1, detector: "x",
            generated: GeneratedShot(generator: "diffusion")))
      }
      listing.close()
      let lines = text(of: settings.location ?? "").split("\n").filter { $0.hasPrefix("* FROM CLIP NAME: ") }
      #expect(lines.map { $0.dropFirst(18) } == names.map { $0[...] })
    }
  }

  @Test("Statistics are numbered and timed as the list is")
  func statistics() throws {
    var settings = ListingSettings()
    settings.statisticsLocation = "\(folder.path)/statistics"
    var listing = Listing(settings) { [errors] in errors.add($0) }
    listing.configure(rate: rate(25), width: 64, height: 36)
    for index in 0..<10 as Range<UInt64> {
      let time = ClockTime.milliseconds(783 + 40 * index)
      _ = try listing.see(BufferTime(pts: time, runningTime: time, streamTime: time), index: index)
      listing.take(FrameScore(time: FrameTime(frame: index, elapsed: 0, streamTime: time), values: [Double(index)]), columns: ["score"])
      if index == 4 { listing.flush() }
    }
    listing.close()
    #expect(
      text(of: "\(folder.path)/statistics") == """
        Frame Number,Timecode,score
        1,00:00:00.200,5.0
        2,00:00:00.240,6.0
        3,00:00:00.280,7.0
        4,00:00:00.320,8.0
        5,00:00:00.360,9.0

        """)
    #expect(errors.list.isEmpty)
  }

  @Test("What cannot be is said, with what to write instead")
  func faults() throws {
    #expect(ListingSettings().fault?.contains("location") == true)
    #expect(settings(.edl) { $0.frameRate = "fast" }.fault?.contains("29.97") == true)
    #expect(settings(.edl) { $0.frameRate = "0/1" }.fault == nil && settings(.edl) { $0.frameRate = "23.98" }.fault == nil)
    #expect(settings(.edl) { $0.startTimecode = "1:00" }.fault?.contains("01:00:00:00") == true)
    // There are 30 at other rates.
    #expect(settings(.edl) { $0.startTimecode = "01:00:00:29" }.fault == nil)
    #expect(throws: ListingError.self) { try list(settings(.edl) { $0.startTimecode = "01:00:00:29" }, [Stretch(frames: 1)]) }
  }
}
