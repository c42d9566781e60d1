import Glibc

/// Runs sequences in workers, and finds of each that fails the shortest that still does.
final class Campaign: @unchecked Sendable {
  private let options: Options
  private let gate = Gate()
  private var running = 0
  private var done = 0
  private var found: [String: (count: Int, seeds: [UInt64])] = [:]
  private var counts: [Fault.Kind: Int] = [:]
  private var slow: [UInt64] = []
  private var end = 0
  /// Sequences that a worker runs before another takes over.
  private static let batch = 500
  /// How long one fault may be made shorter.
  private static let reductionMilliseconds = 100_000

  init(_ options: Options) { self.options = options }

  /// True if nothing failed.
  func run() -> Bool {
    let began = Watch.now
    end = began + options.seconds * 1000
    for job in 0..<options.jobs {
      gate.change { running += 1 }
      start(job)
    }
    while !gate.wait(milliseconds: 30_000, { running == 0 }) {
      let (sequences, faults) = gate.change { (done, counts.values.reduce(0, +)) }
      say("… \(sequences) sequences in \((Watch.now - began) / 1000) s, \(faults) faults")
    }
    say("\n\(done) sequences from seed \(options.seed) in \((Watch.now - began) / 1000) s:")
    say("  \(counts[.trap, default: 0]) traps, \(counts[.hang, default: 0]) hangs, \(counts[.leak, default: 0]) leaks")
    for (key, what) in found.sorted(by: { $0.value.count > $1.value.count }) {
      say("  \(what.count) × \(key), seeds \(what.seeds.prefix(8).map { "\($0)" }.joined(separator: " "))")
    }
    if !slow.isEmpty { say("  slow once: seeds \(slow.map { "\($0)" }.joined(separator: " "))") }
    return counts.isEmpty
  }

  private func start(_ job: Int) {
    final class Start {
      let campaign: Campaign
      let job: Int
      init(_ campaign: Campaign, _ job: Int) { (self.campaign, self.job) = (campaign, job) }
    }
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
        start.campaign.work(start.job)
        return nil
      }, Unmanaged.passRetained(Start(self, job)).toOpaque())
  }

  /// Every so-manieth seed is this job's.
  private func work(_ job: Int) {
    var index = job
    while index < options.count, Watch.now < end {
      let left = (options.count - index + options.jobs - 1) / options.jobs
      var current: UInt64?
      var lines: [String] = []
      var suspects: [(UInt64, String)] = []
      var hasEnded = false
      guard
        let child = Child(
          arguments(seed: options.seed &+ UInt64(index), count: min(left, Self.batch)) + [
            "--seconds", "\(max(1, (end - Watch.now) / 1000))",
          ])
      else { break }
      reading: while true {
        switch child.next(within: options.hangMilliseconds + 30_000) {
        case .text(let line):
          if line.hasPrefix("@ seed ") {
            if current != nil { index += options.jobs }
            current = UInt64(line.dropFirst(7))
            lines.removeAll()
            gate.change { done += 1 }
          } else if line.hasPrefix("@ left "), let seed = current {
            suspects.append((seed, line))
          } else if line == "@ end" {
            hasEnded = true
          } else {
            lines.append(line)
            if lines.count > 200 { lines.removeFirst(100) }
          }
        case .ended: break reading
        case .silent:
          lines.append("@ hang nobody says anything: the worker itself")
          break reading
        }
      }
      let code = child.finish()
      if lines.contains(where: { $0.hasPrefix("@ missing") }) { return give("The plugin is not there: \(lines.last ?? "")") }
      index += options.jobs
      if !hasEnded || code != 0, let seed = current, let fault = Fault(ending: code == 0 ? -1 : code, lines: lines) { take(fault, seed) }
      for (seed, _) in suspects { confirm(seed) }
    }
    gate.change { running -= 1 }
  }

  private func give(_ error: String) {
    gate.change {
      say(error)
      counts[.trap, default: 0] += 1
      running -= 1
    }
  }

  private func arguments(seed: UInt64, count: Int) -> [String] {
    ["--worker", "--seed", "\(seed)", "--count", "\(count)", "--stride", "\(options.jobs)", "--hang", "\(options.hangMilliseconds)"]
      + (options.element.map { ["--element", $0] } ?? [])
  }

  // MARK: One sequence

  /// Runs one in a process of its own; nil if all is well.
  ///
  /// - Parameter rounds: how often, to see what becomes more.
  func trial(_ seed: UInt64, kept: [Int]?, rounds: Int, describe: Bool = false) -> (fault: Fault?, plan: [String]) {
    let keep = kept.map { ["--keep", $0.isEmpty ? "-" : $0.map { "\($0)" }.joined(separator: ",")] } ?? []
    guard let child = Child(arguments(seed: seed, count: 1) + keep + ["--rounds", "\(rounds)"] + (describe ? ["--describe"] : [])) else {
      return (nil, [])
    }
    var lines: [String] = []
    reading: while true {
      switch child.next(within: options.hangMilliseconds + 30_000) {
      case .text(let line): lines.append(line)
      case .ended: break reading
      case .silent:
        lines.append("@ hang nobody says anything: the worker itself")
        break reading
      }
    }
    let code = child.finish()
    return (Fault(ending: code, lines: lines), lines.filter { $0.hasPrefix("@ plan ") }.map { String($0.dropFirst(7)) })
  }

  /// Something was left after it: whether that grows each time.
  private func confirm(_ seed: UInt64) {
    if let fault = trial(seed, kept: nil, rounds: 6).fault { take(fault, seed) }
  }

  private func take(_ fault: Fault, _ seed: UInt64) {
    // A machine that does other things is late too: a hang comes again, in one of three tries.
    if fault.kind == .hang, !(0..<3).contains(where: { _ in trial(seed, kept: nil, rounds: 1).fault != nil }) {
      gate.change { slow.append(seed) }
      return say("slow once, with seed \(seed): \(fault.key)")
    }
    let key = "\(fault.kind) \(fault.key)"
    let isNew = gate.change {
      counts[fault.kind, default: 0] += 1
      found[key, default: (0, [])].count += 1
      found[key]?.seeds.append(seed)
      return found[key]?.count == 1
    }
    // Once as it is found: to reduce it takes a while.
    say("\(fault.kind) with seed \(seed): \(fault.key)")
    guard isNew, options.isReducing else { return }
    let text = reduced(fault, seed)
    gate.change { for line in text { say(line) } }
  }

  /// What it is, with the shortest sequence that still does it.
  func reduced(_ fault: Fault, _ seed: UInt64) -> [String] {
    let rounds = fault.kind == .leak ? 4 : 1
    let whole = trial(seed, kept: nil, rounds: rounds, describe: true)
    guard let first = whole.fault else {
      return ["\(fault.kind) with seed \(seed), not each time: \(fault.key)"] + fault.details.map { "    \($0)" }
    }
    var last = first
    var kept = Array(0..<max(0, whole.plan.count - 1))
    let end = Watch.now + Self.reductionMilliseconds
    var size = max(1, kept.count / 2)
    while true {
      var at = 0
      var hasShrunk = false
      while at < kept.count, Watch.now < end {
        let shorter = Array(kept[..<at] + kept[min(kept.count, at + size)...])
        if let now = trial(seed, kept: shorter, rounds: rounds).fault, now.isAlike(first) {
          (kept, last, hasShrunk) = (shorter, now, true)
        } else {
          at += size
        }
      }
      if Watch.now >= end || size == 1 && !hasShrunk { break }
      size = max(1, size / 2)
    }
    let plan = trial(seed, kept: kept, rounds: rounds, describe: true).plan
    let words = kept.isEmpty ? "-" : kept.map { "\($0)" }.joined(separator: ",")
    return ["", "\(last.kind) with seed \(seed): \(last.key)"] + last.details.map { "    \($0)" }
      + ["  in \(kept.count) steps, --replay \(seed) --keep \(words)\(options.element.map { " --element \($0)" } ?? "")"]
      + plan.map { "    \($0)" }
  }
}
