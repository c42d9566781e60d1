import Files
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Regular files") struct RegularFileTests {
  private let folder: String

  init() throws {
    var template = Array("/tmp/files-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let path = "\(folder)/\(name)"
    let file = try RegularFile(writing: path, flags: O_TRUNC)
    #expect(Glibc.write(file.descriptor, bytes, bytes.count) == bytes.count)
    return path
  }

  private func failure(_ body: () throws(RegularFile.Failure) -> Void) -> RegularFile.Failure? {
    do throws(RegularFile.Failure) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  private func failureOfReading(_ path: String) -> RegularFile.Failure? {
    failure { () throws(RegularFile.Failure) in _ = try RegularFile(path: path) }
  }

  private func failureOfWriting(_ path: String) -> RegularFile.Failure? {
    failure { () throws(RegularFile.Failure) in _ = try RegularFile(writing: path) }
  }

  @Test func `what was written is read, whole`() throws {
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
    let path = try write(bytes, "a")
    #expect(try RegularFile(path: path).size == 200_000)
    #expect(try RegularFile(path: path).contents(atMost: 200_000) == bytes)
  }

  @Test func `a link to a file is that file`() throws {
    let path = try write([1, 2], "a")
    symlink(path, "\(folder)/link")
    #expect(try RegularFile(path: "\(folder)/link").contents(atMost: 2) == [1, 2])
  }

  @Test func `more than the limit is not read`() throws {
    let path = try write([1, 2, 3], "a")
    #expect(failure { () throws(RegularFile.Failure) in _ = try RegularFile(path: path).contents(atMost: 2) } == .tooLong(size: 3, most: 2))
    // It says that it is empty, and is not.
    let endless = failure { () throws(RegularFile.Failure) in _ = try RegularFile(path: "/proc/self/maps").contents(atMost: 10) }
    #expect(endless == .tooLong(size: 11, most: 10))
  }

  @Test(.timeLimit(.minutes(1))) func `what is no regular file is refused at once, and not touched`() throws {
    mkfifo("\(folder)/fifo", 0o600)
    symlink("\(folder)/fifo", "\(folder)/link")
    for (path, kind) in [
      ("\(folder)/fifo", FileKind.fifo), ("\(folder)/link", .fifo), ("/dev/zero", .device), ("/dev/null", .device), (folder, .folder),
    ] {
      #expect(failureOfReading(path) == .kind(kind), "\(path)")
      #expect(failureOfWriting(path) == .kind(kind), "\(path)")
    }
    #expect(RegularFile.Failure.kind(.fifo).description == "is a FIFO, not a regular file")
  }

  @Test func `what is not there is the system's error`() {
    #expect(failureOfReading("\(folder)/nothing") == .system(ENOENT))
    #expect(failureOfWriting("\(folder)/nowhere/nothing") == .system(ENOENT))
    #expect(RegularFile.Failure.system(ENOENT).description == "cannot be read: No such file or directory")
  }
}
