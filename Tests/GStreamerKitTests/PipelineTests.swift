import CGStreamer
import Glibc
import GStreamerKit
import Testing
import Timing

extension GStreamerKitTests {
  /// Pipelines that are run for an element's own use.
  @Suite struct PipelineTests {
    private static func caps(_ text: String) throws -> Caps { try #require(Caps(text)) }

    @Test func whatASourceIsGivenComesOutOfASink() throws {
      let pipeline = try Pipeline("appsrc name=in format=time ! identity ! appsink name=out sync=false")
      let input = try #require(pipeline.source("in"))
      let output = try #require(pipeline.sink("out"))
      input.set(try Self.caps("application/x-bytes"))
      #expect(pipeline.play())
      for byte in 0..<3 {
        var buffer = try #require(Buffer(bytes: [UInt8(byte)]))
        buffer.pts = ClockTime(byte) * 10
        input.push(buffer)
      }
      input.end()
      for byte in 0..<3 {
        let sample = try #require(output.pull(within: .milliseconds(5000)))
        #expect(sample.buffer?.bytes == [UInt8(byte)] && sample.streamTime == ClockTime(byte) * 10)
        #expect(sample.caps == Caps("application/x-bytes"))
      }
      #expect(output.pull(within: .milliseconds(5000)) == nil && output.hasEnded)
    }

    @Test func aSampleBringsItsCapsAndSegment() throws {
      let pipeline = try Pipeline("appsrc name=in format=time handle-segment-change=true ! appsink name=out sync=false")
      let input = try #require(pipeline.source("in"))
      let segment = Segment().limited(to: 100..<ClockTime.max)
      var buffer = try #require(Buffer(bytes: [1]))
      buffer.pts = 130
      #expect(pipeline.play())
      input.push(try #require(Sample(buffer, try Self.caps("application/x-bytes"), segment)))
      let sample = try #require(pipeline.sink("out")?.pull(within: .milliseconds(5000)))
      #expect(sample.segment?.start == 100 && sample.segment?.runningTime(of: 130) == 30 && sample.caps?.mediaType == "application/x-bytes")
    }

    @Test func whatWaitsInASourceIsCounted() throws {
      let pipeline = try Pipeline("appsrc name=in max-bytes=0 ! fakesink")
      let input = try #require(pipeline.source("in"))
      // Nothing flows in READY.
      for _ in 0..<3 { input.push(try #require(Buffer(bytes: [UInt8](repeating: 0, count: 1000)))) }
      #expect(input.level == 3000)
    }

    @Test func namesThatAreNotThereAreNil() throws {
      let pipeline = try Pipeline("appsrc name=in ! fakesink name=out")
      #expect(pipeline.source("out") == nil && pipeline.source("nowhere") == nil && pipeline.sink("out") == nil)
      #expect(pipeline.pad("src", of: "nowhere") == nil && pipeline.pad("nowhere", of: "in") == nil && pipeline.pad("src", of: "in") != nil)
      pipeline.set("nowhere", "location", .string("a"))
    }

    @Test func oneElementIsAPipelineToo() throws {
      let pipeline = try Pipeline("fakesink")
      #expect(pipeline.source("fakesink") == nil && pipeline.error(within: 0) == nil)
    }

    @Test func propertiesTakeAnyText() throws {
      let pipeline = try Pipeline("filesrc name=file ! fakesink")
      pipeline.set("file", "location", .string("/nowhere/a \"b\" ! c"))
      #expect(!pipeline.play())
      let error = try #require(pipeline.error(within: .milliseconds(5000))?.error)
      #expect((error.text + (error.debug ?? "")).contains("/nowhere/a \"b\" ! c") && error.resource == GST_RESOURCE_ERROR_NOT_FOUND)
    }

    @Test func anErrorIsAwaitedUntilTheEndOrTheTimeIsOver() throws {
      let quiet = try Pipeline("videotestsrc is-live=true ! fakesink")
      #expect(quiet.play() && quiet.error(within: .milliseconds(20)) == nil)
      let ending = try Pipeline("videotestsrc num-buffers=1 ! fakesink")
      #expect(ending.play() && ending.error(within: nil) == nil)
      let failing = try Pipeline("videotestsrc num-buffers=5 ! identity error-after=2 ! fakesink")
      #expect(failing.play() && failing.error(within: nil) != nil)
    }

    @Test func textThatIsNoPipelineTellsWhy() throws {
      let missing = #expect(throws: ElementError.self) { try Pipeline("nosuchelement ! fakesink") }
      let wrong = #expect(throws: ElementError.self) { try Pipeline("fakesrc !") }
      guard case .core(let code)? = missing?.code, case .library? = wrong?.code else {
        Issue.record("\(String(describing: missing)), \(String(describing: wrong))")
        return
      }
      #expect(code == GST_CORE_ERROR_MISSING_PLUGIN && missing?.text.contains("nosuchelement") == true)
    }

    @Test func padsAreLinkedWhereTheyFit() throws {
      let pipeline = try Pipeline("videotestsrc name=picture audiotestsrc name=sound videoconvert name=convert")
      let sound = try #require(pipeline.pad("src", of: "sound"))
      #expect(pipeline.pad(of: "convert", compatibleWith: sound) == nil)
      let picture = try #require(pipeline.pad("src", of: "picture"))
      let sink = try #require(pipeline.pad(of: "convert", compatibleWith: picture))
      #expect(picture.link(to: sink) && picture.isLinked && !picture.link(to: sink))
    }

    // MARK: Samples

    @Test func aFrameBecomesAPictureFile() throws {
      func picture(_ value: UInt8) throws -> Buffer { try #require(Buffer(bytes: [UInt8](repeating: value, count: 8))) }
      let frame = try #require(Sample(try picture(200), try Self.caps("video/x-raw,format=GRAY8,width=4,height=2,framerate=25/1")))
      let png = try frame.converted(to: try Self.caps("image/png"), within: .milliseconds(10_000))
      #expect(png.buffer?.bytes(0..<4) == [0x89, 0x50, 0x4E, 0x47] && png.caps?.mediaType == "image/png")
      let folder = "/tmp/kit-\(getpid())"
      mkdir(folder, 0o700)
      defer { rmdir(folder) }
      let path = "\(folder)/a.png"
      try png.buffer?.write(toFile: path)
      var status = stat()
      #expect(stat(path, &status) == 0 && Int(status.st_size) == png.buffer?.size)
      unlink(path)
    }

    @Test func whatCannotBeConvertedOrWrittenTellsWhy() throws {
      let buffer = try #require(Buffer(bytes: [1]))
      let sample = try #require(Sample(buffer, try Self.caps("application/x-bytes")))
      #expect(throws: ElementError.self) { try sample.converted(to: try Self.caps("image/png"), within: .milliseconds(500)) }
      let error = #expect(throws: ElementError.self) { try buffer.write(toFile: "/nowhere/a") }
      #expect(error?.text.contains("/nowhere/a") == true)
    }

    @Test func soundIsCutToTheSample() throws {
      let caps = try #require(Caps("audio/x-raw,format=U8,rate=1000,channels=1,layout=interleaved"))
      let info = try #require(caps.audio)
      var buffer = try #require(Buffer(bytes: Array(0..<100)))
      buffer.pts = .milliseconds(1000)
      let part = try #require(buffer.clipped(to: Segment().limited(to: .milliseconds(1020)..<(.milliseconds(1050))), info))
      #expect(part.bytes == Array(20..<50) && part.pts == .milliseconds(1020))
      #expect(buffer.clipped(to: Segment().limited(to: .milliseconds(2000)..<(.milliseconds(3000))), info) == nil)
      #expect(buffer.size == 100)
    }

    // MARK: What there is

    @Test func elementsAreKnownByTheirNames() throws {
      #expect(Factory.isInstalled("fakesink") && !Factory.isInstalled("nosuchelement") && !Factory.isInstalled(""))
      #expect(try Factory.sinkCaps(of: "videoconvert")?.mediaType == "video/x-raw")
      #expect(try Factory.sinkCaps(of: "videotestsrc")?.mediaType == nil)
      #expect(throws: ElementError.self) { try Factory.sinkCaps(of: "nosuchelement") }
    }

    @Test func textIsSplitAsAShellDoes() throws {
      #expect(try ShellWords("a 'b c' \"d $e\" f\\ g ''").words == ["a", "b c", "d $e", "f g", ""])
      for wrong in ["", "  ", "a 'b", "a\\"] {
        let error = #expect(throws: ShellWords.Invalid.self) { try ShellWords(wrong) }
        #expect(error?.description.isEmpty == false)
      }
    }
  }
}
