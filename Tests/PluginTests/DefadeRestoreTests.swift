import CGStreamer
import CGStreamerCheck
import Testing

extension Shots {
  /// Fades that are undone, beside the film without them.
  @Suite("Defade restore") struct DefadeRestoreTests {
    /// Frames of the way out and of the way in.
    private static let (leaving, coming) = (16, 24)
    /// Frames of the film before the new shot begins; a fade out ends there.
    private static let old = 735..<774
    private static let new = 826..<866
    /// Frames of the level alone between the two.
    private static let pause = 4

    /// One frame: what of the film it shows, how much of it is left.
    private struct Shown {
      var number: Int?
      var gain: Double
    }

    private static var film: [Shown] {
      let (old, new) = (Array(old), Array(new))
      let out = old.indices.map { Shown(number: old[$0], gain: min(1, Double(old.count - $0) / Double(leaving + 1))) }
      let back = new.indices.map { Shown(number: new[$0], gain: min(1, Double($0 + 1) / Double(coming + 1))) }
      return out + Array(repeating: Shown(gain: 0), count: pause) + back
    }

    /// The fade by its definition, in 8-bit I420 of limited range, rounded.
    private func faded(_ film: SmallFilm, _ shown: Shown, _ color: String) throws -> UnsafeMutablePointer<GstBuffer> {
      let buffer = try film.frame(shown.number ?? Self.old.lowerBound)
      let luma = film.video.width * film.video.height
      let level = color == "white" ? 235.0 : 16.0
      try withBytes(of: buffer) { bytes in
        for index in bytes.indices {
          let base = index < luma ? level : 128
          bytes[index] = UInt8(max(0, min(255, (base + (Double(bytes[index]) - base) * shown.gain).rounded())))
        }
      }
      return buffer
    }

    private func bytes(of buffer: UnsafeMutablePointer<GstBuffer>) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: Int(gst_buffer_get_size(buffer)))
      gst_buffer_extract(buffer, 0, &bytes, gsize(bytes.count))
      return bytes
    }

    /// - Returns: mean absolute differences from the clean film of each frame's samples, and its luma's mean.
    private func play(
      _ color: String, told: Bool, _ settings: KeyValuePairs<String, String>, format: String = "I420", missed: Int = 0
    ) throws -> (errors: [Double], harness: Harness) {
      let film = try SmallFilm.shared.get()
      let video = try Video(format, film.video.width, film.video.height, colorimetry: "bt709")
      let harness = try Harness("defade", settings)
      harness.setVideo(video)
      let frames = Self.film
      let start = Self.old.count - Self.leaving - 1 + missed
      let end = Self.old.count + Self.pause + Self.coming - missed
      let source = try Video("I420", film.video.width, film.video.height, colorimetry: "bt709")
      for (index, shown) in frames.enumerated() {
        let plain = try faded(film, shown, color)
        let buffer = format == "I420" ? plain : try video.convert(plain, from: source)
        if format != "I420" { gst_buffer_unref(plain) }
        let place = end - Self.coming / 2
        if index == place { Mark(frame: place, start: start, end: end, color: told ? color : nil).add(to: buffer) }
        #expect(harness.push(buffer, at: frameTime(index)) == GST_FLOW_OK)
      }
      harness.end()
      var errors: [Double] = []
      for shown in frames {
        guard let buffer = gst_harness_try_pull(harness.gst) else { break }
        defer { gst_buffer_unref(buffer) }
        let plain = try film.frame(shown.number ?? Self.old.lowerBound)
        let clean = format == "I420" ? plain : try video.convert(plain, from: source)
        defer { gst_buffer_unref(plain) }
        let (one, two) = (bytes(of: buffer), bytes(of: clean))
        let sum = one.indices.reduce(0) { $0 + abs(Int(one[$1]) - Int(two[$1])) }
        errors.append(Double(sum) / Double(video.size))
        if format != "I420" { gst_buffer_unref(clean) }
      }
      return (errors, harness)
    }

    @Test(arguments: [("black", true), ("black", false), ("white", true), ("white", false)])
    func `fades come back to within four levels from 15 % on`(_ color: String, _ told: Bool) throws {
      let (errors, harness) = try play(color, told: told, ["mode": "restore"])
      for (shown, error) in zip(Self.film, errors) where shown.gain >= 0.15 {
        #expect(error < 4, "\(shown.gain) of frame \(shown.number ?? 0): \(error)")
      }
      #expect(errors.filter { $0 == 0 }.count >= 30, "clean frames are not touched")
      #expect(harness.number("frames-restored") >= 14 + 21)
      #expect(harness.out.frames.map(\.pts) == (0..<Self.film.count).map { frameTime($0) })
    }

    @Test(arguments: ["restore", "hold", "cut"]) func `frames of a fade that the detector missed belong to it`(_ mode: String) throws {
      let (errors, harness) = try play("black", told: true, ["mode": mode, "margin": "0"], missed: 6)
      switch mode {
      case "restore":
        for (shown, error) in zip(Self.film, errors) where shown.gain >= 0.15 {
          #expect(error < 4, "\(shown.gain) of frame \(shown.number ?? 0): \(error)")
        }
      case "hold": #expect(harness.number("frames-replaced") >= UInt64(Self.leaving + Self.pause + Self.coming - 1))
      default: #expect(harness.number("frames-removed") >= UInt64(Self.leaving + Self.pause + Self.coming - 1))
      }
    }

    @Test(arguments: ["NV12", "YUY2", "RGB", "BGRx", "GRAY8", "Y444"]) func `other formats do as well`(_ format: String) throws {
      let (errors, _) = try play("black", told: true, ["mode": "restore"], format: format)
      for (shown, error) in zip(Self.film, errors) where shown.gain >= 0.15 {
        // Conversion rounds once more before the fade is undone.
        #expect(error < 5.5, "\(shown.gain) of frame \(shown.number ?? 0): \(error)")
      }
    }

    @Test func `the cut lies where the picture is faintest, and what is too faint shows its shot's nearest frame`() throws {
      let (_, harness) = try play("black", told: true, ["mode": "restore", "margin": "0", "max-gain": "4"])
      let marked = try #require(harness.out.marked.first)
      #expect((Self.old.count..<Self.old.count + Self.pause + 2).contains(marked))
      #expect(harness.out.frames[marked].boundaries.first?.text("kind") == "cut")
      // A quarter of the picture is left five frames from black on the way out (17 steps), seven on the way in (25).
      #expect(harness.number("frames-restored") == UInt64(Self.leaving - 4 + Self.coming - 6))
      let memory = harness.out.frames.map(\.memory)
      let last = Self.old.count - 5
      #expect((last..<marked).allSatisfy { memory[$0] == memory[last] })
      let first = Self.old.count + Self.pause + 6
      #expect((marked...first).allSatisfy { memory[$0] == memory[first] })
    }

    @Test func `dissolves are held`() throws {
      let video = try Video("I420", 16, 16)
      let harness = try Harness("defade", ["margin": "0", "mode": "restore"])
      harness.setVideo(video)
      var memory: [UInt] = []
      for number in 0..<100 {
        let buffer = try video.noise(UInt8(number))
        memory.append(UInt(bitPattern: gst_buffer_peek_memory(buffer, 0)))
        if number == 45 { Mark(kind: "dissolve", frame: 45, start: 40, end: 50).add(to: buffer) }
        harness.push(buffer, at: frameTime(number))
      }
      harness.end()
      #expect(harness.out.frames[44].memory == memory[40] && harness.out.frames[46].memory == memory[50])
      #expect(harness.number("frames-restored") == 0)
    }

    @Test func `a fade-out that nothing follows is held`() throws {
      let film = try SmallFilm.shared.get()
      let harness = try Harness("defade", ["margin": "0", "mode": "restore"])
      harness.setVideo(film.video)
      for number in 0..<40 {
        let buffer = try faded(film, Shown(number: 735, gain: number < 20 ? 1 : Double(40 - number) / 20), "black")
        if number == 39 { Mark(frame: 39, start: 19, end: nil, color: "black").add(to: buffer) }
        harness.push(buffer, at: frameTime(number))
      }
      harness.end()
      #expect(harness.out.frameCount == 40)
      #expect(Set(harness.out.frames[19...].map(\.memory)).count == 1)
    }

    @Test func `every format takes it, at odd sizes`() throws {
      for format in Formats.all {
        for (width, height) in [(1, 1), (7, 5), (33, 18)] {
          let video = try Video(format, width, height)
          let harness = try Harness("defade", ["margin": "0", "mode": "restore", "look-ahead": "400000000"])
          harness.setVideo(video)
          for number in 0..<20 {
            let buffer = try video.noise(UInt8(number))
            if number == 9 { Mark(frame: 9, start: 7, end: 11, color: "black").add(to: buffer) }
            #expect(harness.push(buffer, at: frameTime(number)) == GST_FLOW_OK, "\(format) \(width)×\(height)")
          }
          harness.end()
          #expect(harness.out.frameCount == 20, "\(format) \(width)×\(height)")
          #expect(harness.bus.errors.isEmpty, "\(format): \(harness.bus.errors)")
        }
      }
    }
  }
}
