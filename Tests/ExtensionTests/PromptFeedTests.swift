import Extension
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Prompts from a file")
final class PromptFeedTests {
  private let folder: String
  private var path: String { folder + "/prompts" }

  init() {
    var template = Array("/tmp/shots-test-XXXXXX".utf8CString)
    folder = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit {
    unlink(path)
    rmdir(folder)
  }

  private func write(_ text: String) {
    unlink(path)
    guard let file = fopen(path, "wb") else { return }
    let bytes = Array(text.utf8)
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  private func failure(_ feed: PromptFeed, _ path: String) -> PromptFeed.Failure? {
    do throws(PromptFeed.Failure) {
      _ = try feed.read(prompts: "", path: path)
      return nil
    } catch { return error }
  }

  @Test("What is no regular file is refused at once, whatever it is", arguments: ["/dev/zero", "/dev/stdin", "/dev/tty", "/tmp", "pipe"])
  func others(name: String) throws {
    if name == "pipe" { #expect(mkfifo(path, 0o600) == 0) }
    var status = stat()
    let path = name == "pipe" ? path : name
    // Standard input may be anything here.
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return }
    let time = ContinuousClock().measure {
      guard case .unreadable(let reason)? = failure(PromptFeed(), path) else {
        Issue.record("\(path) was read")
        return
      }
      #expect(reason.contains("not a regular file"))
    }
    #expect(time < .seconds(1))
  }

  @Test("A file that becomes something else is said once, and what was read stays")
  func becoming() throws {
    let feed = PromptFeed()
    write("A hare\n")
    #expect(try feed.read(prompts: "", path: path))
    #expect(try !feed.read(prompts: "", path: path))
    unlink(path)
    #expect(mkfifo(path, 0o600) == 0)
    #expect(failure(feed, path) == .unreadable("is a FIFO, not a regular file"))
    #expect(failure(feed, path) == nil)
    unlink(path)
    #expect(failure(feed, path) == .missing("cannot be read: No such file or directory"))
    #expect(failure(feed, path) == nil)
    #expect(feed.texts.map { $0.shots[0].caption } == ["A hare"])
    write("A hare\n\u{0}")
    #expect(failure(feed, path) == .notText("is not UTF-8 text in line 2"))
    #expect(failure(feed, path) == nil)
    write("A bird\nA cat\n")
    #expect(try feed.read(prompts: "", path: path))
    #expect(feed.texts.map { $0.shots[0].caption } == ["A bird", "A cat"])
  }

  @Test("A file that is longer than a megabyte is refused, and one that grows is read on")
  func growing() throws {
    let feed = PromptFeed()
    write("A hare\n")
    #expect(try feed.read(prompts: "", path: path))
    let file = try #require(fopen(path, "ab"))
    fputs("A bird\n", file)
    fflush(file)
    #expect(try feed.read(prompts: "", path: path))
    #expect(feed.texts.count == 2)
    let line = String(repeating: "a", count: 1023) + "\n"
    for _ in 0..<1024 { fputs(line, file) }
    fclose(file)
    guard case .unreadable(let reason)? = failure(feed, path) else {
      Issue.record("it was read")
      return
    }
    #expect(reason.contains("more than the 1048576"))
    #expect(feed.texts.count == 2)
  }

  @Test("Without a file the property's list counts, and what is wrong with it is told")
  func lists() throws {
    let feed = PromptFeed()
    #expect(try feed.read(prompts: "<'A', 'B'>", path: nil))
    #expect(feed.texts.count == 2 && feed.problems.isEmpty)
    #expect(try !feed.read(prompts: "<'A', 'B'>", path: nil))
    #expect(try feed.read(prompts: "<'A', 'B'", path: nil))
    #expect(feed.texts.count == 1 && feed.problems.count == 1)
  }
}
