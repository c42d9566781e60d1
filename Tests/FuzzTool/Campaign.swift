import Files
import Glibc
import Threads
import Timing

/// The parent: has children read cases, and finds out what those that end badly end of.
final class Campaign {
  private var options: Options
  private let corpus: Corpus
  private(set) var failures: [Failure] = []
  private var (accepted, refused, peak): (UInt64, UInt64, Int) = (0, 0, 0)

  struct Failure {
    var number: UInt64
    var target: String
    var file: String
    var reason: String
  }

  /// Seconds that a case may take: on the clock, and of the processor where others want it too.
  private static let (longest, longestWork, longestWait) = (5.0, 4.0, 60.0)
  private static let casesAtOnce: UInt64 = 500

  init(_ options: Options) {
    self.options = options
    corpus = Corpus(options)
    // Threads of their own have this for a stack: less than anywhere, but for musl's.
    var stack = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &stack)
    stack.rlim_cur = min(stack.rlim_max, 1 << 20)
    setrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &stack)
  }

  // MARK: A child

  /// A child at work.
  private struct Child {
    var pid: pid_t
    var folder: String
    var cases: Range<UInt64>
    var seen: (number: UInt64, at: Double, work: Double)
  }

  private enum End {
    case done
    /// In this case, of this.
    case failed(UInt64, String)
  }

  private static func now() -> Double { Double(monotonicTime()) / 1e9 }

  private func start(_ cases: Range<UInt64>, keep: [Int]? = nil) -> Child {
    let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(base)/shots-fuzz-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { fatalError("no folder in \(base)") }
    let folder = String(cString: path)
    var inherited = options
    inherited.keep = keep
    let arguments =
      ["fuzz", "files", "--worker", "\(cases.lowerBound):\(cases.upperBound):\(folder)"] + inherited.inherited
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var pid: pid_t = 0
    // Standard error is kept apart: what a trap prints is its reason.
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 2, folder + "/errors", O_WRONLY | O_CREAT, 0o600)
    defer { posix_spawn_file_actions_destroy(&actions) }
    guard posix_spawn(&pid, "/proc/self/exe", &actions, nil, &pointers, environ) == 0 else { fatalError("no process") }
    return Child(pid: pid, folder: folder, cases: cases, seen: (.max, Self.now(), 0))
  }

  /// - Returns: nil while it works.
  private func look(_ child: inout Child) -> End? {
    var (status, usage): (Int32, rusage) = (0, rusage())
    let ended = wait4(child.pid, &status, WNOHANG, &usage) == child.pid
    let told = progress(child)
    if ended {
      defer { Worker.remove(child.folder) }
      peak = max(peak, usage.ru_maxrss << 10)
      (accepted, refused) = (accepted + told.accepted, refused + told.refused)
      if status == 0, told.number == child.cases.upperBound { return .done }
      let errors = (try? RegularFile(path: child.folder + "/errors").contents(atMost: 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
      let line = errors?.split(separator: "\n").first { $0.contains("atal error") }.map { ": \($0.prefix(300))" } ?? ""
      return .failed(told.number, status & 0x7f != 0 ? "signal \(status & 0x7f)\(line)" : "status \(status >> 8)\(line)")
    }
    let work = processorTime(child.pid)
    if told.number != child.seen.number { child.seen = (told.number, Self.now(), work) }
    let waited = Self.now() - child.seen.at
    guard waited > Self.longest && work - child.seen.work > Self.longestWork || waited > Self.longestWait else { return nil }
    kill(child.pid, SIGKILL)
    waitpid(child.pid, &status, 0)
    (accepted, refused) = (accepted + told.accepted, refused + told.refused)
    Worker.remove(child.folder)
    return .failed(told.number, "it does not end")
  }

  private func progress(_ child: Child) -> (number: UInt64, accepted: UInt64, refused: UInt64) {
    guard let bytes = try? RegularFile(path: child.folder + "/progress").contents(atMost: 24), bytes.count == 24 else {
      return (child.cases.lowerBound, 0, 0)
    }
    return bytes.withUnsafeBytes { bytes in
      (bytes.load(as: UInt64.self), bytes.load(fromByteOffset: 8, as: UInt64.self), bytes.load(fromByteOffset: 16, as: UInt64.self))
    }
  }

  /// Seconds that a process has had of the processor.
  private func processorTime(_ pid: pid_t) -> Double {
    guard let bytes = try? RegularFile(path: "/proc/\(pid)/stat").contents(atMost: 4096) else { return 0 }
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
    return (user + system) / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
  }

  /// Runs one case by itself; nil if it ends well.
  private func outcome(_ number: UInt64, keep: [Int]?) -> String? {
    var child = start(number..<number + 1, keep: keep)
    while true {
      switch look(&child) {
      case .done: return nil
      case .failed(_, let reason): return reason
      case nil: usleep(2000)
      }
    }
  }

  // MARK: All of them

  /// - Returns: whether nothing failed.
  func run() -> Bool {
    let began = Self.now()
    var next: UInt64 = 0
    var children: [Child] = []
    var told = began
    func isOver() -> Bool {
      next >= options.count || failures.count >= options.mostFailures
        || options.seconds.map { Self.now() - began > $0 } ?? false
    }
    while !children.isEmpty || !isOver() {
      while children.count < options.jobs, !isOver() {
        let end = min(options.count, next + Self.casesAtOnce)
        children.append(start(next..<end))
        next = end
      }
      for index in children.indices.reversed() {
        guard let end = look(&children[index]) else { continue }
        let cases = children.remove(at: index).cases
        guard case .failed(let number, let reason) = end else { continue }
        note(number, reason)
        if number + 1 < cases.upperBound, failures.count < options.mostFailures { children.append(start(number + 1..<cases.upperBound)) }
      }
      usleep(5000)
      if Self.now() - told > 30 {
        told = Self.now()
        tell("\(accepted + refused) files, \(failures.count) failures")
      }
    }
    let seconds = Int(Self.now() - began)
    tell(
      "\(accepted + refused) damaged files in \(seconds) s, seed \(options.seed): \(accepted) were read, \(refused) refused, "
        + "\(failures.count) failed; \(peak >> 20) MiB of memory at most")
    return failures.isEmpty
  }

  /// Makes a case smaller that failed, and says how to repeat it.
  private func note(_ number: UInt64, _ reason: String) {
    let made = corpus.make(number, keep: nil)
    var keep = Array(0..<made.changes)
    for change in keep where keep.count > 1 {
      let fewer = keep.filter { $0 != change }
      if outcome(number, keep: fewer) != nil { keep = fewer }
    }
    failures.append(Failure(number: number, target: made.target.name, file: made.file, reason: reason))
    let folder = getenv("FUZZ_OUT").map { String(cString: $0) } ?? "."
    let name = "\(folder)/fuzz-\(made.target.name)-\(options.seed)-\(number)"
    // What is planted is no news.
    if !options.plants { save(corpus.make(number, keep: keep).bytes, to: name) }
    let only = options.only.map { " --only \($0)" } ?? ""
    let kept = keep.map(String.init).joined(separator: ",")
    tell("\(made.target.name), \(made.file): \(reason)")
    if !options.plants { tell("  saved as \(name)") }
    tell("  fuzz files --seed \(options.seed)\(only)\(options.plants ? " --plants" : "") --case \(number) --keep \(kept)")
  }

  private func save(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "wb") else {
      complain("\(path) cannot be written")
      return
    }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  /// One case again.
  func again(_ number: UInt64) -> Bool {
    let made = corpus.make(number, keep: options.keep)
    tell("\(made.target.name), \(made.file): \(made.bytes.count) bytes, \(made.changes) changes")
    if let path = options.save { save(made.bytes, to: path) }
    let reason = outcome(number, keep: options.keep)
    tell(reason ?? "It ends well.")
    return reason == nil
  }

  // MARK: The harness itself

  /// Whether what is planted is found, each of its kind.
  static func check(_ options: Options) -> Bool {
    var isFine = true
    for (name, word) in [("plant-trap", "signal"), ("plant-hang", "does not end"), ("plant-hoard", "signal")] {
      var own = options
      (own.plants, own.only, own.count, own.mostFailures) = (true, name, 3000, 1)
      let campaign = Campaign(own)
      _ = campaign.run()
      let isFound = campaign.failures.contains { $0.target == name && $0.reason.contains(word) }
      tell("\(name) is \(isFound ? "" : "not ")found")
      isFine = isFine && isFound
    }
    return isFine
  }
}
