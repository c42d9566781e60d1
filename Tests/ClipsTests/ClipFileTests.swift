import Glibc
import Clips
import ShotLists
import Shots
import Synchronization
import TestSupport
import Testing
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

  @Test func `a number goes before the extension, not into a folder's name`() {
    #expect(numberedName("a.b/clip.mp4", 2) == "a.b/clip-2.mp4")
    #expect(numberedName("a.b/clip", 3) == "a.b/clip-3")
    #expect(numberedName("a/.hidden", 2) == "a/.hidden-2")
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

  @Test func `what cannot be written tells which file`() {
    #expect(throws: FileError(.open, path: "/nowhere/clip", code: ENOENT)) { _ = try PartFile(beside: "/nowhere/clip") }
    #expect(throws: FileError(.open, path: "/nowhere/m", code: ENOENT)) { _ = try LineFile(path: "/nowhere/m") }
    #expect(throws: FileError(.write, path: "/dev/full", code: ENOSPC)) { try LineFile(path: "/dev/full").append("x") }
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

  // MARK: Captions

  private func run(_ arguments: [String], timeout: UInt64 = 20_000_000_000, isCancelled: () -> Bool = { false }) throws -> String {
    try CaptionCommand(arguments: arguments).run(first: "/a b", last: "/c", timeout: timeout, isCancelled: isCancelled)
  }

  @Test func `the first line is the caption, and no shell reads the arguments`() throws {
    #expect(try run(["printf", "  %s|%s|%s \\n second\\n", "{first}", "x{last}x{last}", "$HOME;*"]) == "/a b|x/cx/c|$HOME;*")
    #expect(try run(["true"]) == "")
    // More than a pipe holds does not hang it.
    #expect(try run(["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"]).utf8.count == 65_536)
  }

  @Test func `what a program prints is kept up to a limit, and its errors are not`() throws {
    func output(_ script: String, longest: Int) throws -> String {
      let bytes = try Subprocess(arguments: ["sh", "-c", script]).run(timeout: 20_000_000_000, longest: longest) { false }
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(try output("printf 'a\\nb\\n'; echo c >&2 2>/dev/null", longest: 100) == "a\nb\n")
    #expect(try output("printf 0123456789", longest: 4) == "0123" && output("printf 0123456789", longest: 0) == "")
    #expect(try output("cat; printf end", longest: 100) == "end")
  }

  @Test func `a command that fails says how`() {
    #expect(throws: CaptionCommand.Failure.start(ENOENT)) { try run(["/nowhere/command"]) }
    #expect(throws: CaptionCommand.Failure.status(3)) { try run(["sh", "-c", "exit 3"]) }
    #expect(throws: CaptionCommand.Failure.status(137)) { try run(["sh", "-c", "kill -9 $$"]) }
  }

  @Test func `one that prints without end is killed too`() {
    let begin = ContinuousClock.now
    #expect(throws: CaptionCommand.Failure.timeout) { try run(["yes"], timeout: 200_000_000) }
    #expect(throws: CaptionCommand.Failure.cancelled) { try run(["yes"], isCancelled: { ContinuousClock.now - begin > .seconds(1) }) }
    #expect(ContinuousClock.now - begin < .seconds(15))
  }

  @Test func `one that hangs is killed with all that it started`() throws {
    let folder = TemporaryFolder()
    #expect(throws: CaptionCommand.Failure.timeout) {
      try run(["sh", "-c", "sleep 1000 & echo $! > '\(folder.path)/id'; wait"], timeout: 300_000_000)
    }
    let id = try #require(pid_t(text(of: "\(folder.path)/id").filter { $0 != "\n" }))
    // The system's first process may take a moment to bury it.
    for _ in 0..<200 where kill(id, 0) == 0 && text(of: "/proc/\(id)/stat").contains(") S ") { usleep(5000) }
    #expect(kill(id, 0) != 0 || !text(of: "/proc/\(id)/stat").contains(") S "))
    #expect(throws: CaptionCommand.Failure.cancelled) { try run(["sleep", "1000"], isCancelled: { true }) }
  }
}
