import Files
import Glibc
import Tensors
import Testing

@Suite("Files that are read")
struct RegularFileTests {
  private let folder = TemporaryFolder()

  private func refusal(_ body: () throws(RegularFile.Failure) -> Void) -> RegularFile.Failure? {
    do throws(RegularFile.Failure) {
      try body()
      return nil
    } catch { return error }
  }

  @Test(
    "What is no regular file is refused by a word about it, at once", arguments: ["/dev/zero", "/dev/null", "/dev/full", "/tmp", "pipe"])
  func others(name: String) {
    let path = name == "pipe" ? folder.path + "/pipe" : name
    if name == "pipe" { #expect(mkfifo(path, 0o600) == 0) }
    let time = ContinuousClock().measure {
      guard case .kind(let kind)? = refusal({ () throws(RegularFile.Failure) in _ = try RegularFile(path: path) }) else {
        Issue.record("\(path) was opened")
        return
      }
      #expect(kind == (name == "pipe" ? .fifo : name == "/tmp" ? .folder : .device))
    }
    #expect(time < .seconds(1))
  }

  @Test("A pipe's writer is not woken by who refuses it")
  func sleepingWriter() {
    let path = folder.path + "/pipe"
    #expect(mkfifo(path, 0o600) == 0)
    #expect(refusal { () throws(RegularFile.Failure) in _ = try RegularFile(path: path) } != nil)
    #expect(open(path, O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO, "there is no reader")
  }

  @Test("A file is read up to a limit, and one that is longer is refused", arguments: [0, 1, 100, 65_536, 70_000])
  func limit(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let file = try RegularFile(path: folder.write(bytes))
    #expect(file.size == count)
    #expect(try file.contents(atMost: count) == bytes)
    #expect(try file.contents(atMost: 1 << 20) == bytes)
    if count > 0 {
      #expect(
        refusal { () throws(RegularFile.Failure) in _ = try file.contents(atMost: count - 1) } == .tooLong(size: count, most: count - 1))
    }
  }

  @Test("Of a file that grows what is there is read, and never more than the limit")
  func growing() throws {
    let path = folder.write([1, 2, 3])
    let file = try RegularFile(path: path)
    let writer = try #require(fopen(path, "ab"))
    defer { fclose(writer) }
    let more = [UInt8](repeating: 9, count: 200_000)
    fwrite(more, 1, more.count, writer)
    fflush(writer)
    #expect(try file.contents(atMost: 1 << 20) == [1, 2, 3] + more)
    #expect(refusal { () throws(RegularFile.Failure) in _ = try file.contents(atMost: 1000) } == .tooLong(size: 1001, most: 1000))
    // The files of /proc have no size at all.
    #expect(try RegularFile(path: "/proc/self/status").contents(atMost: 1 << 20).count > 100)
  }

  @Test("Parts are read from anywhere; of a file that was changed since, none")
  func parts() throws {
    let path = folder.write(Array(0..<100))
    let file = try RegularFile(path: path)
    func read(_ offset: Int, _ count: Int) throws(RegularFile.Failure) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      try bytes.withUnsafeMutableBufferPointer { room throws(RegularFile.Failure) in
        try file.read(at: offset, into: UnsafeMutableRawBufferPointer(room))
      }
      return bytes
    }
    #expect(try read(90, 10) == Array(90..<100))
    #expect(try read(100, 0) == [])
    #expect(refusal { () throws(RegularFile.Failure) in _ = try read(91, 10) } == .changed, "behind its end")
    #expect(truncate(path, 50) == 0)
    #expect(refusal { () throws(RegularFile.Failure) in _ = try read(0, 10) } == .changed)
  }

  @Test(
    "What lies in the place of weights is told from them",
    arguments: [
      (
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 11271146184\n",
        "Git LFS pointer, not the file of 11271146184"
      ),
      ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\n", "Git LFS pointer, not the file that"),
      ("/annex/objects/SHA256E-s5--2cf2.safetensors\n", "git-annex"), ("PK\u{3}\u{4}....archive/data.pkl", "pickled"),
      ("GGUF\u{3}\0\0\0\0\0\0\0\0", "GGUF"), ("\n<!DOCTYPE html><html lang=\"en\">", "web page"),
      ("just some words", "no safetensors file"),
    ])
  func strangers(text: String, words: String) throws {
    let path = folder.write(Array(text.utf8))
    let error = try #require(failure(opening: path))
    #expect(error.kind == .malformed && error.path == path && error.reason.contains(words), "\(error)")
  }

  @Test("A pointer in the place of a configuration is told, too, and a link to nothing")
  func pointers() throws {
    struct Nothing: Decodable {}
    let path = folder.write(Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 17\n".utf8), name: "config.json")
    let error = #expect(throws: WeightsError.self) { try ConfigurationFile.read(Nothing.self, path: path) }
    #expect(error?.reason.contains("git lfs pull") == true)
    unlink(path)
    #expect(symlink("../../blobs/0123abcd", path) == 0)
    let absence = #expect(throws: WeightsError.self) { try ConfigurationFile.read(Nothing.self, path: path) }
    #expect(absence?.kind == .notFound && absence?.reason.contains("../../blobs/0123abcd") == true)
  }

  @Test("A JSON text of more values than any model's is refused before they fill memory")
  func manyValues() {
    let text = "[" + String(repeating: "0,", count: 2_000_000) + "0]"
    #expect(throws: JSONReader.Fault.self) { try JSONValue(text: text) }
  }
}
