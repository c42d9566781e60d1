import CGStreamer
import CGStreamerCheck
import Glibc

/// The process in which sequences run. What it says goes to the campaign, a line each:
///
/// - `seed N`: that one begins. `end`: all are done.
/// - `hang WHAT`: something took longer than it may; the process has ended then.
/// - `at PLACE`: where it was when a signal ended it.
/// - `left N TYPE×COUNT …`: what that seed left behind.
/// - `plan LINE`: what a sequence does.
final class Worker {
  private let options: Options
  private let watch: Watch
  private let threads = [StreamingThread(), StreamingThread()]
  private let folder: String

  init(_ options: Options) {
    self.options = options
    watch = Watch(limit: options.hangMilliseconds)
    var template = Array("/tmp/fuzz-elements-XXXXXX".utf8CString)
    folder = mkdtemp(&template).map { String(cString: $0) } ?? "/tmp"
  }

  func run() {
    // Log lines of what is odd are no news here.
    if getenv("G_DEBUG") == nil { g_log_set_default_handler({ _, _, _, _ in }, nil) }
    gst_init(nil, nil)
    catchSignals()
    for factory in ["shotdetect", "shotlog", "defade", "sceneextend", "shotclip"] {
      guard let element = gst_element_factory_make(factory, nil) else {
        tell("missing \(factory)")
        _exit(98)
      }
      gst_object_unref(element)
    }
    if options.isDescribing {
      for line in PlanMaker.plan(options.seed, element: options.element).reduced(to: options.kept).lines { tell("plan \(line)") }
    }
    let end = Watch.now + options.seconds * 1000
    for index in 0..<options.count {
      let seed = options.seed &+ UInt64(index * options.stride)
      tell("seed \(seed)")
      let plan = PlanMaker.plan(seed, element: options.element).reduced(to: options.kept)
      // Of a sequence that is looked at alone the first time fills what is kept for good, such as a registry of types.
      if let rounds = options.rounds { look(plan, rounds) } else { first(plan) }
      if Watch.now > end { break }
    }
    watch.rests()
    clear()
    rmdir(folder)
    tell("end")
    // Threads of lanes wait for ever.
    _exit(0)
  }

  private func play(_ plan: Plan) {
    watch.begins("making") { "making the elements" }
    Stage(plan, folder: folder, watch: watch, threads: threads, plant: Plant()).map { stage in
      stage.perform()
      stage.strike()
    }
    watch.begins("files") { "removing files" }
    clear()
    watch.rests()
  }

  /// What is more after this sequence is looked at again by the campaign: it may be kept for good and rightly so.
  private func first(_ plan: Plan) {
    let before = Leftovers.now()
    play(plan)
    if let left = settled(before) { report(plan.seed, left) }
  }

  /// Runs it again and again: what becomes more each time has leaked.
  private func look(_ plan: Plan, _ rounds: Int) {
    play(plan)
    var growing: [String: Int]?
    for _ in 0..<rounds {
      let before = Leftovers.now()
      play(plan)
      guard let left = settled(before) else { return }
      growing = growing?.merging(left, uniquingKeysWith: +).filter { left[$0.key] != nil && growing?[$0.key] != nil } ?? left
      if growing?.isEmpty == true { return }
    }
    if let growing { report(plan.seed, growing) }
  }

  /// Threads that were told to end may take a moment. nil if nothing is left.
  private func settled(_ before: Leftovers) -> [String: Int]? {
    for attempt in 0..<12 {
      let more = Leftovers.now().more(than: before)
      if more.isEmpty { return nil }
      if attempt == 11 || (options.rounds == nil && attempt == 3) { return more }
      usleep(UInt32(500 << attempt))
    }
    return nil
  }

  private func report(_ seed: UInt64, _ left: [String: Int]) {
    tell("left \(seed) " + left.sorted { $0.key < $1.key }.map { "\($0.key)×\($0.value)" }.joined(separator: ", "))
  }

  /// Removes what elements have written.
  private func clear() {
    guard let entries = opendir(folder) else { return }
    defer { closedir(entries) }
    while let entry = readdir(entries) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { unlink("\(folder)/\(name)") }
    }
  }

  /// Says where it was, and lets the signal end the process as it would have.
  private func catchSignals() {
    for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] { cgst_tell_crash(signal) }
  }
}
