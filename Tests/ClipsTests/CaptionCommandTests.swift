import Clips
import Glibc
import TestSupport
import Testing

@Suite("Commands that describe clips") struct CaptionCommandTests {
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

  /// Whether a process runs. The system's first process may take a moment to bury one that does not.
  private func runs(_ id: pid_t) -> Bool {
    func isAlive() -> Bool { kill(id, 0) == 0 && !text(of: "/proc/\(id)/stat").contains(") Z ") }
    for _ in 0..<400 where isAlive() { usleep(5000) }
    return isAlive()
  }

  /// What a script has written into the file `ids` of a folder.
  private func ids(_ folder: TemporaryFolder) -> [pid_t] { text(of: "\(folder.path)/ids").split(separator: "\n").compactMap { pid_t($0) } }

  @Test(arguments: [
    "trap '' TERM INT HUP QUIT PIPE; while :; do sleep 0.05; done",
    "exec >&-; sleep 1000",
    "exec >&- 2>&- <&-; sleep 1000",
    "for i in 1 2 3; do yes & echo $! >> ids; done; yes",
    "for i in 1 2 3; do sh -c 'trap \"\" TERM; sleep 1000 & echo $! >> ids; wait' & echo $! >> ids; done; sleep 0.2; exec >&-; wait",
    "printf half; sleep 1000",
    "kill -STOP $$",
    "while :; do :; done",
  ]) func `whatever a command does, it ends in time, with all that it started`(_ script: String) throws {
    let folder = TemporaryFolder()
    let begin = ContinuousClock.now
    #expect(throws: CaptionCommand.Failure.timeout) { try run(["sh", "-c", "cd '\(folder.path)'; \(script)"], timeout: 400_000_000) }
    #expect(ContinuousClock.now - begin < .seconds(5))
    for id in ids(folder) { #expect(!runs(id)) }
  }

  @Test func `a command that leaves something behind has ended all the same`() throws {
    let folder = TemporaryFolder()
    let begin = ContinuousClock.now
    // One that holds its output open, one that prints without end in a session of its own.
    #expect(try run(["sh", "-c", "cd '\(folder.path)'; sleep 1000 & echo $! > ids; echo hello"]) == "hello")
    #expect(try run(["sh", "-c", "echo hello; setsid yes & sleep 0.1"]) == "hello")
    #expect(ContinuousClock.now - begin < .seconds(10))
    for id in ids(folder) { kill(id, SIGKILL) }
  }

  @Test func `a command starts with signals as programs expect them`() throws {
    signal(SIGUSR2, SIG_IGN)
    defer { signal(SIGUSR2, SIG_DFL) }
    let ignored = try #require(UInt64(try run(["grep", "SigIgn", "/proc/self/status"]).dropFirst("SigIgn:\t".count), radix: 16))
    // Above are two that the C library has for itself.
    #expect(ignored & 0x7fff_ffff == 0)
  }
}
