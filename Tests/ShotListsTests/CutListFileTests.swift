import Glibc
import ShotLists
import Shots
import Synchronization
import TestSupport
import Testing

/// Collects what files report.
final class Errors: Sendable {
  private let all = Mutex<[FileError]>([])
  var list: [FileError] { all.withLock { $0 } }
  func add(_ error: FileError) { all.withLock { $0.append(error) } }
}

@Suite("Cut list files") struct CutListFileTests {
  private static func write(
    _ path: String, _ format: CutListFormat, _ errors: Errors, options: CutListOptions = CutListOptions()
  ) -> CutListFile {
    CutListFile(path: path, format: format, options: options) { errors.add($0) }
  }

  private static func cut(_ frame: Int) -> Boundary {
    CutListFormatTests.boundary(2, at: frameTime(frame))
  }

  /// Waits until the file has what is expected of it, at most five seconds.
  private static func eventually(_ path: String, _ isThere: (String) -> Bool) -> String {
    for _ in 0..<1000 {
      let now = text(of: path)
      if isThere(now) { return now }
      usleep(5000)
    }
    return text(of: path)
  }

  @Test("While the stream runs the file is whole after every shot; closed, it has what belongs at its top")
  func csvGrows() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/ü \"shots\".csv"
    let file = Self.write(path, .csv, errors)
    file.begin(at: frameTime(0))
    file.see(Self.cut(25))
    file.see(Self.cut(75))
    let running = Self.eventually(path) { $0.split("\n").count == 4 }
    #expect(running.hasPrefix("Scene Number,") && running.contains("\n2,26,00:00:01.000,1.000,75,"))
    file.end(endFrame: 100, end: 4_000_000_000)
    file.close()
    let lines = text(of: path).split("\n")
    #expect(lines.count == 6 && lines[0] == "Timecode List:,00:00:01.000,00:00:03.000")
    #expect(lines[4].hasPrefix("3,76,00:00:03.000,3.000,100,00:00:04.000"))
    #expect(folder.names == ["ü \"shots\".csv"])
    #expect(errors.list.isEmpty)
  }

  @Test(
    "The footer is always there once and last",
    arguments: [
      (CutListFormat.otio, "]}]}}\n", "\"Clip.2\""), (.fcpxml, "</fcpxml>\n", "<asset-clip"),
    ])
  func footers(_ format: CutListFormat, _ foot: String, _ clip: String) {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/list"
    func count(_ text: String, _ part: String) -> Int { text.split("\n").filter { $0.contains(part) }.count }
    let file = Self.write(path, format, errors)
    #expect(Self.eventually(path) { $0.hasSuffix(foot) }.hasSuffix(foot))
    file.begin(at: frameTime(0))
    for shot in 1...3 {
      file.see(Self.cut(shot * 25))
      let now = Self.eventually(path) { count($0, clip) == shot && $0.hasSuffix(foot) }
      #expect(count(now, clip) == shot && now.hasSuffix(foot) && count(now, String(foot.dropLast())) == 1)
    }
    file.end(endFrame: 100, end: 4_000_000_000)
    file.close()
    let now = text(of: path)
    #expect(count(now, clip) == 4 && now.hasSuffix(foot) && count(now, String(foot.dropLast())) == 1)
    #expect(format != .fcpxml || now.contains("<sequence format=\"r1\" duration=\"4s\""))
    #expect(errors.list.isEmpty)
  }

  private static func place(_ frame: Int, of medium: Int) -> ListPlace {
    let time = frameTime(frame).elapsed
    return ListPlace(frame: UInt64(frame), time: time, source: SourceTime(ListMedium(number: medium, uri: "file:///\(medium).mov"), time))
  }

  @Test("A running FCPXML names every film of which it has clips")
  func runningFilms() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/list.fcpxml"
    let file = Self.write(path, .fcpxml, errors)
    file.begin(at: frameTime(0), source: Self.place(0, of: 1).source)
    for (film, frame) in [(2, 25), (2, 50), (3, 75), (3, 100)] { file.see(Self.cut(frame), at: Self.place(frame, of: film)) }
    let now = Self.eventually(path) { $0.contains("\"Shot 4\"") && $0.hasSuffix("</fcpxml>\n") }
    for film in 2...3 { #expect(now.contains("<asset id=\"r\(film + 1)\"") && now.contains("src=\"file:///\(film).mov\"")) }
    #expect(now.ranges(of: "<asset-clip").count == 4 && now.ranges(of: "ref=\"r4\"").count == 1)
    file.close()
    #expect(text(of: path).ranges(of: "<asset ").count == 3 && folder.names == ["list.fcpxml"] && errors.list.isEmpty)
  }

  @Test(
    "What has gone into a pipe stays when the rest is taken back, and what follows is numbered on", arguments: [CutListFormat.csv, .otio])
  func pipeRestarts(_ format: CutListFormat) throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let errors = Errors()
    let file = Self.write("/dev/fd/\(ends[1])", format, errors)
    file.begin(at: frameTime(0))
    file.see(Self.cut(25))
    file.restart()
    file.begin(at: frameTime(0))
    file.see(Self.cut(50))
    file.end(endFrame: 75, end: 3_000_000_000)
    file.close()
    close(ends[1])
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(ends[0], &chunk, chunk.count)
    close(ends[0])
    let list = String(decoding: chunk[..<max(0, count)], as: UTF8.self)
    if format == .csv {
      #expect(list.split("\n").dropFirst().prefix(3).map { $0.prefix(5) } == ["1,1,0", "2,1,0", "3,51,"])
    } else {
      #expect(list.ranges(of: "\n,{").count == 2 && list.ranges(of: "Clip.2").count == 3)
    }
    #expect(errors.list.isEmpty)
  }

  @Test("Lines of boundaries are written when the boundary is known, not when its shot ends")
  func atOnce() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let qp = "\(folder.path)/qp"
    let file = Self.write(qp, .qp, errors)
    file.begin(at: frameTime(0))
    #expect(Self.eventually(qp) { !$0.isEmpty } == "0 I -1\n")
    file.see(Self.cut(25))
    #expect(Self.eventually(qp) { $0.count > 7 } == "0 I -1\n25 I -1\n")
    file.close()
    #expect(text(of: qp) == "0 I -1\n25 I -1\n")
    let jsonl = "\(folder.path)/jsonl"
    let lines = Self.write(jsonl, .jsonl, errors)
    lines.see(Self.cut(25))
    #expect(Self.eventually(jsonl) { !$0.isEmpty }.hasPrefix("{\"kind\":\"cut\""))
    lines.close()
    #expect(errors.list.isEmpty)
  }

  @Test("An existing file is emptied, keeps its mode, and a link to it stays a link")
  func existing() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let (path, link) = ("\(folder.path)/a.csv", "\(folder.path)/b.csv")
    if let old = fopen(path, "w") {
      fputs(String(repeating: "old ", count: 5000), old)
      fclose(old)
    }
    chmod(path, 0o666)
    symlink("a.csv", link)
    let file = Self.write(link, .csv, errors)
    file.begin(at: frameTime(0))
    file.end(endFrame: 25, end: nil)
    file.close()
    var status = stat()
    #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o666)
    let lines = text(of: path).split("\n")
    #expect(lines.count == 4 && lines[0] == "Timecode List:" && !text(of: path).contains("old"))
    #expect(errors.list.isEmpty)
  }

  @Test("A full disk is reported once, with path and reason", arguments: CutListFormat.allCases)
  func fullDisk(_ format: CutListFormat) {
    let errors = Errors()
    let file = Self.write("/dev/full", format, errors)
    file.begin(at: frameTime(0))
    for shot in 1...20 { file.see(Self.cut(shot * 25)) }
    file.end(endFrame: 1000, end: nil)
    file.close()
    file.close()
    #expect(errors.list == [FileError(.write, path: "/dev/full", code: ENOSPC)])
    #expect(errors.list.first?.description == "Could not write to \"/dev/full\": No space left on device")
  }

  @Test("A disk that fills up leaves the list valid as it was", arguments: [false, true])
  func fillsUp(_ inTheFooter: Bool) throws {
    let (folder, errors) = (TemporaryFolder(), Errors())
    // A file in memory that is forbidden to grow when it has had a shot.
    typealias Create = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32
    let symbol = try #require(dlsym(nil, "memfd_create"))
    let memory = unsafeBitCast(symbol, to: Create.self)("list", 3 /* MFD_CLOEXEC, MFD_ALLOW_SEALING */)
    try #require(memory >= 0)
    defer { close(memory) }
    let path = "\(folder.path)/list.otio"
    symlink("/proc/self/fd/\(memory)", path)
    // Where a page ends in the footer, the next shot overwrites part of it before the write fails.
    var options = CutListOptions()
    func bodySize() -> Int {
      let formatter = CutListFormat.otio.formatter(options)
      let shot = Shot(opening: ShotOpening(ordinal: 1, firstFrame: 0, start: 0), endFrame: 25, end: 1_000_000_000)
      return (formatter.head(nil) + formatter.shot(shot)).utf8.count
    }
    if inTheFooter { while bodySize() % 4096 < 4093 { options.title += "x" } }

    let file = Self.write(path, .otio, errors, options: options)
    file.begin(at: frameTime(0))
    file.see(Self.cut(25))
    let before = Self.eventually(path) { $0.contains("\"Shot 1\"") && $0.hasSuffix("]}]}}\n") }
    #expect(before.utf8.count == bodySize() + 6)
    #expect(fcntl(memory, 1033 /* F_ADD_SEALS */, Int32(4) /* F_SEAL_GROW */) == 0)
    for shot in 2...20 { file.see(Self.cut(shot * 25)) }
    file.close()
    #expect(errors.list == [FileError(.write, path: path, code: EPERM)])
    #expect(text(of: path) == before)
  }

  @Test(
    "A path that cannot be opened is reported once, with path and reason",
    arguments: [
      ("/nonexistent/täglich/a.csv", ENOENT), ("/tmp", EISDIR), ("/proc/version/a", ENOTDIR), ("", ENOENT),
      ("/dev/fd/987654", EBADF),
    ])
  func unwritable(_ path: String, _ code: Int32) {
    let errors = Errors()
    let file = Self.write(path, .jsonl, errors)
    file.see(Self.cut(25))
    file.close()
    #expect(errors.list == [FileError(.open, path: path, code: code)])
    #expect(errors.list.first?.description.contains("\"\(path)\"") == true)
  }

  @Test("Where the finished file cannot be put in place, the running one stays and the failure is reported")
  func cannotReplace() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/a.csv"
    let file = Self.write(path, .csv, errors)
    file.begin(at: frameTime(0))
    file.see(Self.cut(25))
    _ = Self.eventually(path) { $0.split("\n").count == 3 }
    // Something that cannot be unlinked stands where the new file would be written.
    let beside = "\(path).\(getpid()).part"
    mkdir(beside, 0o700)
    file.close()
    rmdir(beside)
    #expect(errors.list == [FileError(.replace, path: path, code: EEXIST)])
    #expect(text(of: path).hasPrefix("Scene Number,"))
  }

  @Test("A finished file that cannot be put in place leaves nothing behind")
  func nothingLeftBehind() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/a.csv"
    let file = Self.write(path, .csv, errors)
    _ = Self.eventually(path) { !$0.isEmpty }
    // No file can be renamed to a folder.
    unlink(path)
    mkdir(path, 0o700)
    file.close()
    #expect(errors.list == [FileError(.replace, path: path, code: EISDIR)])
    #expect(folder.names == ["a.csv"])
    rmdir(path)
  }

  @Test("A writer that does not keep up is an error, and nobody waits for it")
  func queueFull() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/fifo"
    mkfifo(path, 0o600)
    // Nobody reads the FIFO, so the writer takes nothing.
    let file = CutListFile(path: path, format: .qp, capacity: 3) { errors.add($0) }
    for shot in 1...10 { file.see(Self.cut(shot * 25)) }
    #expect(errors.list == [FileError(.queue, path: path, code: 0)])
    file.close()
    #expect(errors.list.count == 1)
  }

  @Test("A FIFO gets the whole list, its footer at the end, with nothing rewritten")
  func fifo() throws {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/fifo"
    mkfifo(path, 0o600)
    let file = Self.write(path, .fcpxml, errors)
    file.begin(at: frameTime(0))
    usleep(50_000)
    let reader = open(path, O_RDONLY | O_NONBLOCK)
    try #require(reader >= 0)
    for shot in 1...200 { file.see(Self.cut(shot * 25)) }
    file.end(endFrame: 10_000, end: nil)
    file.close()
    var chunk = [UInt8](repeating: 0, count: 1 << 17)
    var all: [UInt8] = []
    while case let count = read(reader, &chunk, chunk.count), count > 0 { all += chunk[..<count] }
    close(reader)
    let list = String(decoding: all, as: UTF8.self)
    #expect(list.hasPrefix("<?xml") && list.hasSuffix("</fcpxml>\n"))
    #expect(list.split("\n").filter { $0.contains("<asset-clip") }.count == 201)
    #expect(errors.list.isEmpty)
    #expect(folder.names == ["fifo"])
  }

  @Test("A reader that goes away is an error, not the end of the process")
  func brokenPipe() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    let errors = Errors()
    let path = "/dev/fd/\(ends[1])"
    let file = Self.write(path, .csv, errors)
    file.close()
    close(ends[1])
    #expect(errors.list == [FileError(.write, path: path, code: EPIPE)])
  }

  @Test("What stdout is redirected to is not replaced and not overwritten")
  func redirected() throws {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/out.txt"
    let descriptor = open(path, O_CREAT | O_RDWR, 0o600)
    try #require(descriptor >= 0)
    try #require(Glibc.write(descriptor, "before\n", 7) == 7)
    let file = Self.write("/dev/fd/\(descriptor)", .csv, errors)
    file.begin(at: frameTime(0))
    file.see(Self.cut(25))
    file.close()
    try #require(Glibc.write(descriptor, "after\n", 6) == 6)
    close(descriptor)
    let lines = text(of: path).split("\n")
    #expect(lines.count == 5 && lines.first == "before" && lines[1].hasPrefix("Scene Number") && lines[3] == "after")
    #expect(errors.list.isEmpty)
  }

  @Test("A file that is dropped without being closed is still written")
  func dropped() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/a.qp"
    Self.write(path, .qp, errors).see(Self.cut(25))
    #expect(Self.eventually(path) { $0.count > 7 } == "0 I -1\n25 I -1\n")
  }
}

@Suite("Statistics files") struct StatisticsFileTests {
  @Test("Statistics equal what PySceneDetect writes, byte for byte")
  func reference() {
    let (folder, errors) = (TemporaryFolder(), Errors())
    let path = "\(folder.path)/stats.csv"
    let columns = ["adaptive_ratio (w=2)", "content_val", "delta_hue"]
    let file = StatisticsFile(path: path, columns: columns) { errors.add($0) }
    let rows: [[Double]] = [[.nan, 0.1, 1e-5], [255, 27, 1.0 / 3], [2.5, 123456.789, 0]]
    for (row, values) in rows.enumerated() {
      file.append(FrameScore(time: frameTime(row + 1, rate: rate(24000, 1001)), values: values))
    }
    file.close()
    #expect(text(of: path) == fixture("statistics.csv"))
    #expect(errors.list.isEmpty)
  }

  @Test("A full disk is reported once")
  func fullDisk() {
    let errors = Errors()
    let file = StatisticsFile(path: "/dev/full", columns: ["a,b"]) { errors.add($0) }
    for frame in 0..<100 { file.append(FrameScore(time: frameTime(frame), values: [1])) }
    file.close()
    #expect(errors.list == [FileError(.write, path: "/dev/full", code: ENOSPC)])
  }
}
