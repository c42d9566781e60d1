import CGStreamer
import Glibc
import Testing

extension Shots {
  @Suite("Clips around boundaries") struct ShotClipAroundTests {
    private let folder: Folder
    private let film = StillFilm.standard

    init() throws { folder = try Folder() }

    private func play(
      _ properties: String, _ film: StillFilm? = nil, detector: String = "threshold=10 min-shot-duration=0 filter=suppress align=true",
      sound: String = ""
    ) throws -> Bus {
      let pipeline = try Pipeline(
        (film ?? self.film).launch(
          "mode=around location=\(folder.file("%d.mp4")) manifest-location=\(folder.file("m")) \(properties)", detector: detector) + sound)
      try pipeline.run()
      #expect(pipeline.bus.errors == [])
      return pipeline.bus
    }

    private var manifest: [String] { lines(of: folder.file("m")) }
    private func numbers(_ field: String) -> [Double] { manifest.compactMap { jsonField(field, $0).flatMap { Double($0) } } }

    @Test func `overlapping clips are all written, from a key frame within the padding to its end`() throws {
      let bus = try play("padding=1000000000 key-frame-interval=200000000", sound: film.sound())
      try #require(bus.clips.count == 4 && manifest.count == 4)
      let bursts = try film.burstTimes()
      for (index, cut) in film.cuts.enumerated() {
        let (start, end) = (numbers("start_time")[index], numbers("end_time")[index])
        let middle = Double(cut) / 25
        #expect(start >= middle - 1.0001 && start <= middle - 0.8, "\(start) for \(middle)")
        #expect(abs(end - min(middle + 1, 6.4)) < 0.0001)
        #expect(abs(numbers("transition_frame")[index] - middle) < 1e-6)
        let clip = ClipOnDisk(path: folder.file("\(index + 1).mp4"))
        let pictures = try clip.pictures(try Video("I420", 64, 48))
        #expect(pictures.count == Int(((end - start) * 25).rounded()))
        // The old shot up to the boundary, the new one from there on.
        let at = Int(((middle - start) * 25).rounded())
        #expect(distance(pictures[at - 1], pictures[at]) > 20)
        let expected = StillFilm.bursts(bursts, from: start, to: end)
        let found = try clip.bursts()
        #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 0.025 }, "\(found), not \(expected)")
      }
    }

    @Test func `by default five seconds on each side are written, ten at most`() throws {
      let long = StillFilm(shots: [("smpte", 170), ("white", 200)])
      _ = try play("", long)
      #expect(numbers("start_time") == [2])
      #expect(numbers("end_time") == [11.8])
      _ = try play("max-duration=4000000000", long)
      #expect(numbers("duration").last == 4)
    }

    @Test func `first takes the first boundary only`() throws {
      let bus = try play("which=first padding=500000000")
      #expect(bus.clips.count == 1 && bus.clips.first?.number("shot") == 2)
    }

    @Test func `boundaries that are told late get their clips where they lie`() throws {
      let bus = try play(
        "padding=800000000 key-frame-interval=200000000", detector: "detector=adaptive min-shot-duration=0 filter=suppress")
      #expect(bus.warnings == [])
      #expect(bus.cuts.count > 2 && numbers("transition_frame").map { UInt64(($0 * 25).rounded()) } == bus.cuts)
      #expect(zip(numbers("end_time"), bus.cuts).allSatisfy { abs($0 - min(Double($1) / 25 + 0.8, 6.4)) < 0.001 })
    }

    @Test func `validation keeps hard cuts and drops what has none`() throws {
      // Grey differs from black by less than 50 on average, white by more.
      let film = StillFilm(shots: [("black", 20), ("solid-color foreground-color=0xff282828", 20), ("white", 20)])
      let pipeline = try Pipeline(
        film.launch(
          "mode=around padding=400000000 validate=true location=\(folder.file("%d.mp4")) manifest-location=\(folder.file("m"))",
          detector: "threshold=10 min-shot-duration=0 filter=suppress align=true"))
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      #expect(eventually { !pipeline.bus.all(.endOfStream).isEmpty })
      #expect(try pipeline.number("clip", "clips") == 1)
      #expect(try pipeline.number("clip", "clips-rejected") == 1)
      #expect(pipeline.bus.clips.compactMap { $0.number("shot") } == [3])
      #expect(manifest.compactMap { jsonField("shot", $0) } == ["3"])
      #expect(folder.names == ["2.mp4", "m"])
    }

    // MARK: Captions

    /// A program that answers with a picture's colour in the middle, so that a test knows which frames it was shown.
    private func script(_ text: String) throws -> String {
      let path = folder.file("caption script")
      try write(Array("#!/bin/sh\n\(text)\n".utf8), to: path)
      chmod(path, 0o700)
      return path
    }

    @Test func `captions are the command's first line about each scene's first and last frame`() throws {
      let path = try script("echo \"$3 $(cksum < \"$1\" | cut -d' ' -f1)/$(cksum < \"$2\" | cut -d' ' -f1) \\\"ü\\\"\"; echo more")
      let bus = try play("padding=1000000000 key-frame-interval=200000000 captioner=\"'\(path)' {first} '{last}' 'two words'\"")
      #expect(bus.warnings == [])
      try #require(manifest.count == 4)
      let (before, after) = (manifest.compactMap { jsonField("previous_text", $0) }, manifest.compactMap { jsonField("next_text", $0) })
      #expect(before.count == 4 && before.allSatisfy { $0.hasPrefix("two words ") })
      // What is behind one boundary is before the next, here up to where the clip ends.
      #expect(after[1] == before[2])
      #expect(Set(before).count == 4)
      #expect(manifest[0].contains("\"text\": \"Previous scene: two words ") && manifest[0].contains("; Next scene: two words "))
      #expect(manifest[0].contains("\\\"ü\\\""))
    }

    @Test(arguments: [("exit 3", "status 3"), ("sleep 60", "took too long"), ("kill -9 $$", "status 137")])
    func `a captioner that fails costs the captions and one warning`(_ text: String, _ reason: String) throws {
      let begin = monotonic()
      let bus = try play("padding=400000000 captioner-timeout=200000000 captioner=\"'\(try script(text))' {first}\"")
      #expect(bus.clips.count == 4)
      #expect(bus.warnings.count == 1 && bus.warnings.first?.contains(reason) == true, "\(bus.warnings)")
      #expect(manifest.compactMap { jsonField("text", $0) } == ["", "", "", ""])
      #expect(monotonic() - begin < 10 * second)
    }

    @Test func `a captioner that is not there costs the captions, one that cannot be read is an error`() throws {
      let bus = try play("padding=400000000 captioner=/nowhere/captioner")
      #expect(bus.clips.count == 4 && bus.warnings.count == 1 && bus.warnings.first?.contains("/nowhere/captioner") == true)
      let pipeline = try Pipeline(film.launch("captioner=\"say 'what\""))
      #expect(!pipeline.setState(GST_STATE_PLAYING))
      #expect(pipeline.bus.errors.contains { $0.contains("captioner") })
    }

    @Test func `stopping waits for clips, not for captions`() throws {
      let pipeline = try Pipeline(
        film.launch(
          "mode=around padding=400000000 location=\(folder.file("%d.mp4")) manifest-location=\(folder.file("m")) captioner=\"sleep 60\""))
      gst_element_set_state(pipeline.gst, GST_STATE_PLAYING)
      #expect(eventually { !folder.names.filter { $0.hasSuffix(".mp4") }.isEmpty })
      let begin = monotonic()
      gst_element_set_state(pipeline.gst, GST_STATE_NULL)
      #expect(monotonic() - begin < 5 * second)
      #expect(manifest.count == folder.names.filter { $0.hasSuffix(".mp4") }.count)
    }
  }
}
