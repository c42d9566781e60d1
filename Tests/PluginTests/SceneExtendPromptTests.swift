import CGStreamer
import CGStreamerCheck
import Glibc
import Testing

extension Shots {
  /// What shots are to show, and how long.
  @Suite("Scene extension: prompts", .timeLimit(.minutes(2))) struct SceneExtendPromptTests {
    private func shots(_ properties: KeyValuePairs<String, String>, before: (SceneStream) -> Void = { _ in }) throws -> (
      prompts: [String], frames: [Int], stream: SceneStream
    ) {
      let stream = try SceneStream(properties)
      before(stream)
      try stream.play(0..<10)
      #expect(stream.end())
      #expect(stream.bus.errors == [])
      let made = stream.generated
      return (made.map { $0.mark.text("prompt") ?? "?" }, made.map(\.frame), stream)
    }

    @Test(arguments: [("last", ["A", "B", "B", "B", "B"]), ("cycle", ["A", "B", "A", "B", "A"]), ("empty", ["A", "B", "", "", ""])])
    func `prompt-policy says what comes after the last prompt`(_ policy: String, _ expected: [String]) throws {
      let made = try shots(["prompts": "<\"A\", \"B\">", "prompt-policy": policy, "shots": "5", "shot-duration": "120000000"])
      #expect(made.prompts == expected)
    }

    @Test func `the general prompt holds for all`() throws {
      let made = try shots([
        "prompts": "<\"A hare\">", "prompt-policy": "empty", "general-prompt": "Watercolour", "shots": "2", "shot-duration": "120000000",
      ])
      #expect(made.prompts == ["A hare. Watercolour", "Watercolour"])
    }

    @Test func `CineTrans's and TAV's forms set captions, durations and cuts`() throws {
      let made = try shots([
        "prompts":
          "<\"Two shots: Dawn; Shot 1: [0s, 0.4s] A cock crows; Shot 2: [0.4s, 1s] A door opens\", \"Previous scene: A door; Next scene: A dog\">",
        "shots": "3", "shot-duration": "200000000",
      ])
      #expect(made.prompts == ["A cock crows. Dawn", "A door opens. Dawn", "A dog"])
      #expect(made.frames == [10, 20, 35] && made.stream.out.frameCount == 40)
      #expect(made.stream.bus.warnings.filter { $0.contains("column") } == [])
    }

    @Test func `a prompt that does not keep to its form is a warning with the column, and plain`() throws {
      let text = "Two shots: Dawn; Shot 1: [0s, 4s A cock; Shot 2: [4s, 6s] A door"
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48 ! sceneextend name=e generator=rephotograph shots=1 shot-duration=100000000 ! fakesink sync=false"
      )
      gst_util_set_object_arg(gobject(try pipeline.element("e")), "prompts", "<\"A\", \"\(text)\">")
      try pipeline.run()
      #expect(pipeline.bus.warnings.contains { $0.contains("prompt 2") && $0.contains("column") })
      #expect(pipeline.bus.errors == [])
    }

    @Test(arguments: ["\"<'A hare, awake', 'A cock'>\"", "\"<\\\"A hare, awake\\\", \\\"A cock\\\">\"", "\"['A hare, awake', 'A cock']\""])
    func `prompts are understood in the quotes that command lines leave room for`(_ list: String) throws {
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48 ! sceneextend generator=rephotograph shots=2 shot-duration=100000000 "
          + "prompts=\(list) ! fakesink sync=false")
      try pipeline.run()
      let told = pipeline.bus.all(.element).compactMap(\.fields).filter { $0.name == "scene-extension" && $0.text("state") == "generated" }
      #expect(told.compactMap { $0.text("prompt") } == ["A hare, awake", "A cock"])
      // That no shotdetect is there is warned of, and nothing else.
      #expect(pipeline.bus.errors == [] && !pipeline.bus.warnings.contains { $0.contains("prompt") })
    }

    @Test func `a list that does not end is a warning that shows the form`() throws {
      let pipeline = try Pipeline(
        "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48 ! sceneextend generator=rephotograph shots=1 shot-duration=100000000 "
          + "prompts=\"<'A hare', 'A cock'\" ! fakesink sync=false")
      try pipeline.run()
      #expect(pipeline.bus.warnings.contains { $0.contains("expected '>'") && $0.contains("<'A rabbit wakes up', 'A bird sings'>") })
    }

    @Test func `a file of prompts is read again when it changes, and may vanish`() throws {
      let folder = try Folder()
      let file = folder.file("prompts.txt")
      try write("# two\nA hare\n\nA cock\n".utf8, to: file)
      let writer = Writer(file)
      // A shot is planned when the one before is nearly over.
      let made = try shots(["prompt-location": file, "shots": "6", "shot-duration": "400000000", "lead-time": "1"]) { stream in
        gst_pad_add_probe(
          stream.harness.gst.pointee.sinkpad, GST_PAD_PROBE_TYPE_BUFFER,
          { _, _, data in
            if let data { Unmanaged<Writer>.fromOpaque(data).takeUnretainedValue().frame() }
            return GST_PAD_PROBE_OK
          }, Unmanaged.passUnretained(writer).toOpaque(), nil)
      }
      #expect(made.prompts == ["A hare", "A cock", "A dog, new", "A cat", "A cat", "A cat"])
      #expect(made.stream.bus.warnings.count { $0.contains(file) } == 1, "that it vanished is said once")
    }

    /// Changes the file while the second shot is shown, and takes it away while the fourth is.
    private final class Writer: @unchecked Sendable {
      let file: String
      var frames = 0
      init(_ file: String) { self.file = file }

      func frame() {
        frames += 1
        if frames == 23 { try? write("A dog, new\nA cat\n".utf8, to: file) }
        if frames == 43 { unlink(file) }
      }
    }

    @Test func `a file that cannot be read is an error before the first frame`() throws {
      let folder = try Folder()
      try write([0xff, 0xfe, 0x41, 0x0a], to: folder.file("latin"))
      #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
      symlink("/dev/zero", folder.file("device"))
      for (file, word) in [("nothing", "No such file"), ("latin", "latin"), ("pipe", "is a FIFO"), ("device", "is a device")] {
        let pipeline = try Pipeline("videotestsrc ! sceneextend generator=rephotograph prompt-location=\(folder.file(file)) ! fakesink")
        #expect(!pipeline.setState(GST_STATE_PAUSED))
        #expect(
          pipeline.bus.errors.count == 1 && pipeline.bus.errors[0].contains(folder.file(file)) && pipeline.bus.errors[0].contains(word),
          "\(pipeline.bus.errors)")
      }
    }
  }
}
