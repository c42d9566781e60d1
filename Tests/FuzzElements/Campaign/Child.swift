import Glibc

/// A worker's process, read line by line.
final class Child {
  private var pid: pid_t = 0
  private let input: Int32
  private var bytes: [UInt8] = []

  init?(_ arguments: [String]) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    var words = (["/proc/self/exe"] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    let status = posix_spawn(&pid, "/proc/self/exe", &actions, nil, &words, environ)
    posix_spawn_file_actions_destroy(&actions)
    close(ends[1])
    input = ends[0]
    guard status == 0 else {
      close(input)
      return nil
    }
  }

  enum Line { case text(String), ended, silent }

  /// The next line it prints; `silent` if there is none within so many milliseconds.
  func next(within milliseconds: Int) -> Line {
    while true {
      if let end = bytes.firstIndex(of: 10) {
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        bytes.removeSubrange(...end)
        return .text(line)
      }
      var wait = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
      let ready = poll(&wait, 1, Int32(clamping: milliseconds))
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else { return .silent }
      var chunk = [UInt8](repeating: 0, count: 16384)
      let count = read(input, &chunk, chunk.count)
      guard count > 0 else { return .ended }
      bytes += chunk[..<count]
    }
  }

  /// Ends it if it has not ended. Its exit status, or minus the signal that ended it.
  func finish() -> Int32 {
    close(input)
    var status: Int32 = 0
    for _ in 0..<100 {
      if waitpid(pid, &status, WNOHANG) == pid { return Self.code(status) }
      usleep(2000)
    }
    kill(pid, SIGKILL)
    waitpid(pid, &status, 0)
    return Self.code(status)
  }

  private static func code(_ status: Int32) -> Int32 { status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f) }
}
