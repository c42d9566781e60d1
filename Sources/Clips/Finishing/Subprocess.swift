import Threads
import Timing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A program that is run for what it prints, with limits on how long it takes and how much is read.
///
/// It reads nothing, is in a process group of its own and starts with the signals as programs expect them. Not GSubprocess: that
/// leaves the program in the application's group, so that what it has started outlives it, and knows no limits.
public struct Subprocess: Sendable {
  /// Why there is no output.
  public enum Failure: Error, Hashable, CustomStringConvertible {
    /// The system's error number.
    case start(Int32)
    /// Its exit status, or 128 and the signal that ended it.
    case status(Int32)
    case timeout
    case cancelled

    /// What follows the program's name in a sentence.
    public var description: String {
      switch self {
      case .start(let code): "does not start: " + (strerror(code).map { String(cString: $0) } ?? "error \(code)")
      case .status(let status): "ended with status \(status)"
      case .timeout: "took too long and was killed"
      case .cancelled: "was stopped"
      }
    }
  }

  /// The program, looked for in PATH, and what it is given.
  public let arguments: [String]

  /// - Parameter arguments: no shell reads them.
  public init(arguments: [String]) { self.arguments = arguments }

  /// Runs it and waits for its end.
  ///
  /// - Parameters:
  ///   - timeout: after which it is killed with all that it has started.
  ///   - longest: bytes of output that are kept; the rest is read and dropped.
  ///   - isCancelled: asked every few milliseconds; it is killed then.
  /// - Returns: what it printed.
  public func run(timeout: ClockTime, longest: Int, isCancelled: () -> Bool) throws(Failure) -> [UInt8] {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .start(errno) }
    let (input, output) = (ends[0], ends[1])
    defer { close(input) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let started = Self.spawn(arguments, output: output)
    close(output)
    let id: pid_t
    switch started {
    case .success(let started): id = started
    case .failure(let failure): throw failure
    }
    return try Self.answer(from: input, of: id, timeout: timeout, longest: longest, isCancelled)
  }

  private static func answer(from output: Int32, of id: pid_t, timeout: ClockTime, longest: Int, _ isCancelled: () -> Bool) throws(Failure)
    -> [UInt8]
  {
    let end = monotonicTime().saturating(adding: timeout)
    var text: [UInt8] = []
    var isOpen = true
    while true {
      if isOpen { isOpen = Self.read(output, into: &text, longest, within: 20) } else { usleep(2000) }
      // Asked after every read: it may print without end, and so may what it has left behind.
      var status: Int32 = 0
      let ended = waitpid(id, &status, WNOHANG)
      // An application that ignores SIGCHLD leaves no status.
      let isGone = ended < 0 && errno == ECHILD
      if isGone || ended == id {
        // No pipe holds more of what it printed itself.
        for _ in 0..<256 where isOpen { isOpen = Self.read(output, into: &text, longest, within: 0) }
        let signal = status & 0x7f
        guard isGone || status == 0 else { throw .status(signal == 0 ? status >> 8 & 0xff : 128 + signal) }
        return text
      }
      let failure: Failure? = isCancelled() ? .cancelled : monotonicTime() >= end ? .timeout : nil
      if let failure {
        kill(-id, SIGKILL)
        kill(id, SIGKILL)
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        throw failure
      }
    }
  }

  /// Reads once, if there is something within so many milliseconds. False when there will be nothing more, or with no time
  /// to wait, is nothing now.
  private static func read(_ output: Int32, into text: inout [UInt8], _ longest: Int, within milliseconds: Int32) -> Bool {
    var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, milliseconds) > 0 else { return milliseconds > 0 }
    var chunk = [UInt8](repeating: 0, count: 4096)
    #if canImport(Glibc)
      let count = Glibc.read(output, &chunk, chunk.count)
    #else
      let count = Musl.read(output, &chunk, chunk.count)
    #endif
    if count > 0 { text += chunk[..<min(count, longest - min(text.count, longest))] }
    return count > 0 || (count < 0 && errno == EINTR)
  }

  /// Starts the program in a process group of its own, reading nothing, and with the signals as a program expects them.
  private static func spawn(_ words: [String], output: Int32) -> Result<pid_t, Failure> {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var id: pid_t = 0
    let code = posix_spawnp(&id, words.first ?? "", &actions, &attributes, &pointers, environ)
    return code == 0 ? .success(id) : .failure(.start(code))
  }
}
