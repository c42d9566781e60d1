import Glibc
import Clips
import Files
import ShotLists
import Shots
import Synchronization
import TestSupport
import Testing
import Threads
import Timing

@Suite("Files of clips") struct ClipFileTests {
  // MARK: Names

  @Test func `patterns become names`() throws {
    let pattern = try ClipNamePattern("a {x}/{shot}-%05d-100%%-{time}.mp4")
    #expect(pattern.name(number: 42, shot: 7, start: 3_723_456_000_000) == "a {x}/7-00042-100%-01-02-03.456.mp4")
    #expect(try ClipNamePattern("%d").name(number: 1_234_567, shot: 1, start: 0) == "1234567")
    #expect(try ClipNamePattern("ü.mp4").hasNumber == false && ClipNamePattern("%d").hasNumber)
  }

  @Test(arguments: ["%s", "%n", "%5d", "%x", "%", "a%", "%d%d", "%ld", "%*d", "%-5d", "%05", "%00000000005d", "% d", "%1$d"])
  func `anything but one plain number is refused`(_ text: String) {
    #expect(throws: ClipNamePattern.Invalid.self) { try ClipNamePattern(text) }
  }

  @Test func `braces are written twice where they would mean something`() throws {
    func name(_ pattern: String) throws -> String { try ClipNamePattern(pattern).name(number: 42, shot: 7, start: 0) }
    #expect(try name("a {{shot}} dir/{shot}.mp4") == "a {shot} dir/7.mp4")
    #expect(try name("{{{shot}}}") == "{7}" && name("{{time}") == "{time}" && name("{x}{ }") == "{x}{ }")
    #expect(try name("{{}}{{{{") == "{}{{" && name("100%% {{%d}}") == "100% {42}")
  }

  /// What `location` has to be so that files are called `text`, as scripts write it.
  private func escaped(_ text: String) -> String {
    text.map { $0 == "%" || $0 == "{" || $0 == "}" ? "\($0)\($0)" : "\($0)" }.joined()
  }

  @Test(arguments: [
    "100% real", "a {shot} dir", "{time}", "{{shot}}", "%05d", "%%", "}{", "{%d}", "\\ \" ' ! \t\n", "-x", "ü {ü} %ü", "{shot", "shot}",
    "{}%",
  ]) func `any text is a name when it is escaped`(_ text: String) throws {
    #expect(try ClipNamePattern(escaped(text)).name(number: 1, shot: 2, start: 3) == text)
    #expect(try ClipNamePattern(escaped(text) + "/%05d.mp4").name(number: 1, shot: 2, start: 3) == text + "/00001.mp4")
  }

  // MARK: Part files

  private func write(_ text: String, to file: borrowing PartFile) {
    _ = Array(text.utf8).withUnsafeBytes { Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
  }

  @Test func `a file has its name when it is complete, and none if it never is`() throws {
    let folder = TemporaryFolder()
    do {
      var file = try PartFile(beside: "\(folder.path)/clip")
      #expect(folder.names.count == 1 && folder.names[0].hasPrefix("clip.") && folder.names[0].hasSuffix(".part"))
      write("hello", to: file)
      #expect(try file.publish(overwriting: false) { "\(folder.path)/clip\($0)" } == 0)
      #expect(folder.names == ["clip0"] && text(of: "\(folder.path)/clip0") == "hello")
      _ = try PartFile(beside: "\(folder.path)/other")
    }
    #expect(folder.names == ["clip0"])
  }

  @Test func `names that are taken are left alone unless they may be`() throws {
    let folder = TemporaryFolder()
    for index in 0..<3 {
      var file = try PartFile(beside: "\(folder.path)/clip")
      write("\(index)", to: file)
      #expect(try file.publish(overwriting: false) { "\(folder.path)/clip\($0)" } == UInt64(index))
    }
    var file = try PartFile(beside: "\(folder.path)/clip")
    write("new", to: file)
    #expect(try file.publish(overwriting: true) { "\(folder.path)/clip\($0)" } == 0)
    #expect(
      folder.names == ["clip0", "clip1", "clip2"] && text(of: "\(folder.path)/clip0") == "new" && text(of: "\(folder.path)/clip2") == "2")
  }

  @Test func `writers at the same time get names of their own`() async throws {
    let folder = TemporaryFolder()
    let path = folder.path
    let attempts = await withTaskGroup(of: UInt64?.self) { group in
      for _ in 0..<16 {
        group.addTask {
          guard var file = try? PartFile(beside: "\(path)/clip") else { return nil }
          return try? file.publish(overwriting: false) { "\(path)/clip\($0)" }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(attempts) == Set((0..<16).map { UInt64($0) }))
    #expect(folder.names.count == 16)
  }

  @Test func `there is no moment at which a name is there and its file is not whole`() throws {
    let folder = TemporaryFolder()
    let path = folder.path
    let isOver = Monitor(false)
    var seen = 0
    try BackgroundThread {
      // The newest name is looked for as often as it can be.
      for index in 0..<400 {
        guard var file = try? PartFile(beside: "\(path)/clip") else { continue }
        _ = Array("whole".utf8).withUnsafeBytes { Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
        _ = try? file.publish(overwriting: false) { _ in "\(path)/clip\(index)" }
      }
      isOver.change { $0 = true }
    }.detach()
    var index = 0
    while !isOver.wait({ .some($0) }) {
      var status = stat()
      guard stat("\(path)/clip\(index)", &status) == 0 else { continue }
      if status.st_size != 5 { seen += 1 }
      index += 1
    }
    #expect(seen == 0 && index > 10)
  }

  @Test func `what cannot be written tells which file`() {
    #expect(throws: FileError(.open, path: "/nowhere/clip", code: ENOENT)) { _ = try PartFile(beside: "/nowhere/clip") }
    #expect(throws: FileError(.open, path: "/nowhere/m", code: ENOENT)) { _ = try LineFile(path: "/nowhere/m") }
  }

  @Test(.timeLimit(.minutes(1))) func `what is no regular file is refused at once, and stays`() throws {
    let folder = TemporaryFolder()
    let fifo = "\(folder.path)/fifo"
    mkfifo(fifo, 0o600)
    for (path, kind) in [(fifo, FileKind.fifo), ("/dev/zero", .device), ("/dev/full", .device), (folder.path, .folder)] {
      #expect(throws: FileError(.open, path: path, kind: kind)) { _ = try LineFile(path: path) }
      #expect(throws: FileError(.open, path: path, kind: kind)) { try LineFile.check(path) }
      #expect(throws: FileError(.open, path: path, kind: kind)) { _ = try PartFile(beside: path) }
    }
    var file = try PartFile(beside: "\(folder.path)/clip")
    #expect(throws: FileError(.open, path: fifo, kind: .fifo)) { _ = try file.publish(overwriting: true) { _ in fifo } }
    #expect(FileError(.open, path: fifo, kind: .fifo).description == "Could not open \"\(fifo)\": it is a FIFO, not a regular file")
    #expect(throws: Never.self) { try LineFile.check("\(folder.path)/new") }
    #expect(folder.names.contains("fifo") && !folder.names.contains("new"))
  }

  @Test(arguments: [230, 240, 250, 255]) func `long names are names too`(_ length: Int) throws {
    let folder = TemporaryFolder()
    let name = String(repeating: "ü", count: (length - 4) / 2) + String(repeating: "x", count: length % 2) + ".mp4"
    for attempt in 0..<3 {
      var file = try PartFile(beside: "\(folder.path)/\(name)")
      #expect(folder.names.filter { $0.hasSuffix(".part") }.count == 1)
      let taken = try file.publish(overwriting: false) {
        $0 == 0 ? "\(folder.path)/\(name)" : FileName.extended("\(folder.path)/\(name)", by: "-\($0 + 1)")
      }
      #expect(taken == UInt64(attempt))
    }
    #expect(folder.names.count == 3 && folder.names.contains(name))
    #expect(throws: FileError(.open, path: "\(folder.path)/\(name)xxxxxxxxxxxxxxxxxxxxxxxxxx", code: ENAMETOOLONG)) {
      _ = try PartFile(beside: "\(folder.path)/\(name)xxxxxxxxxxxxxxxxxxxxxxxxxx")
    }
  }

  @Test func `a scratch folder is there for its owner alone, and then gone with its files`() throws {
    let path: String
    do {
      let folder = try ScratchFolder(prefix: "clips-test", files: ["a", "b"])
      path = folder.path
      for name in ["a", "b"] { close(open("\(path)/\(name)", O_CREAT | O_WRONLY, 0o600)) }
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o700)
    }
    #expect(access(path, F_OK) != 0)
  }

  // MARK: Manifest

  private var record: ClipRecord {
    var record = ClipRecord(
      path: "a \"b\".mp4", videoName: "film", start: 1_500_000_000, end: 11_500_000_000, frames: 250, shot: 2,
      boundary: Boundary(kind: .dissolve, shot: 2, frame: 160, streamTime: 6_400_000_000, score: 0.75, detector: "fused"), width: 640,
      height: 360,
      rate: FrameRate(25))
    record.previousText = "A cat"
    record.nextText = "Two\ndogs"
    return record
  }

  @Test func `a record has TAV's fields and form`() {
    let expected = """
      {"file_path": "a \\"b\\".mp4", "video_name": "film", "start_time": 1.5, "end_time": 11.5, "duration": 10.0, "transition_frame": 6.4, \
      "text": "Previous scene: A cat; Next scene: Two\\ndogs", "previous_text": "A cat", "next_text": "Two\\ndogs", "kind": "dissolve", "score": 0.75, \
      "detector": "fused", "shot": 2, "frames": 250, "width": 640, "height": 360, "frame_rate": 25.0}
      """
    #expect(record.json == expected)
  }

  @Test func `what is not known is null, and without captions there is no text`() {
    let record = ClipRecord(path: "a", videoName: "", start: 0, end: 1, frames: 1, shot: 1, boundary: nil, width: 1, height: 1, rate: nil)
    for field in ["transition_frame", "kind", "score", "detector", "frame_rate"] { #expect(record.json.contains("\"\(field)\": null")) }
    #expect(record.json.contains("\"text\": \"\""))
  }

  @Test func `lines go behind what is there`() throws {
    let folder = TemporaryFolder()
    for line in ["one", "two"] { try LineFile(path: "\(folder.path)/m").append(line) }
    #expect(text(of: "\(folder.path)/m") == "one\ntwo\n")
  }
}
