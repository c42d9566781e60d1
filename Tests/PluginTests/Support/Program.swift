import Glibc

/// A program of its own, for what depends on the environment or ends the process.
enum Program {
  /// Runs it to its end, with the test's environment and these changes; nil removes a variable.
  ///
  /// - Returns: the exit status, or −1 after `limit` seconds or a signal, and what it printed.
  static func run(_ arguments: [String], _ changes: [String: String?] = [:], within limit: Double = 60) throws -> (
    status: Int32, output: String
  ) {
    let folder = try Folder()
    let file = folder.file("output")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, file, O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var variables = environment
    // Under a sanitizer (launch/test --sanitize) a program that loads the plugin needs its runtime first.
    if let runtime = variables["GST_SHOTS_SANITIZER_RUNTIME"] {
      variables["LD_PRELOAD"] = [runtime, variables["LD_PRELOAD"]].compactMap { $0 }.joined(separator: ":")
    }
    for (name, value) in changes { variables[name] = value }
    var id: pid_t = 0
    let name = arguments.first ?? ""
    let code = withStrings(arguments) { arguments in
      withStrings(variables.map { "\($0.key)=\($0.value)" }) { posix_spawnp(&id, name, &actions, nil, arguments, $0) }
    }
    guard code == 0 else { throw Failure("\(name) does not start: error \(code)") }
    var status: Int32 = 0
    guard eventually(within: limit, { waitpid(id, &status, WNOHANG) == id }) else {
      kill(id, SIGKILL)
      waitpid(id, &status, 0)
      return (-1, text(of: file))
    }
    return (status & 0x7f == 0 ? status >> 8 & 0xff : -1, text(of: file))
  }

  private static var environment: [String: String] {
    let pairs = text(of: "/proc/self/environ").split(separator: "\0").map {
      $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    }
    return Dictionary(pairs.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") }) { first, _ in first }
  }

  private static func withStrings<R>(_ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
      var none: UnsafeMutablePointer<CChar>?
      return withUnsafeMutablePointer(to: &none) { body(buffer.baseAddress ?? $0) }
    }
  }
}
