import Diffusion

/// What every shot of a show shows, how long it is and how it begins: a list of prompts, gone through shot by shot.
///
/// ```swift
/// var plan = ShotPlan(prompts: ["A rabbit wakes up", "Two shots: Dawn; Shot 1: [0s, 4s] A cock; Shot 2: [4s, 6s] A farm"])
/// plan.generalPrompt = "Watercolour"
/// while let shot = plan.next() { generate(shot.prompt, for: shot.duration) }
/// plan = plan.replacing(prompts: ["Next scene: Night falls"])   // also while it runs
/// ```
///
/// A prompt of several shots is that many shots of the plan. The shots' general captions are the prompt's own, then
/// ``generalPrompt``. A duration is the prompt's own or else ``shotDuration``. The same plan always gives the same shots.
/// Memory and the time for a shot do not depend on how many were made.
public struct ShotPlan: Hashable, Sendable, IteratorProtocol {
  /// What comes after the last prompt.
  public enum Policy: String, CaseIterable, Hashable, Sendable {
    /// The last shot's prompt, again and again.
    case last
    /// All of them again from the first.
    case cycle
    /// No prompt but the general one.
    case empty
  }

  /// A shot of a prompt.
  private struct ListedShot: Hashable, Sendable {
    var caption = ""
    var general = ""
    var previous: String?
    var duration: UInt64?
    var beginning: ShotBeginning?
  }

  /// Holds for all shots; empty for none.
  public var generalPrompt = ""
  /// Empty for the model's own.
  public var negativePrompt = ""
  /// How many shots there are in all, those before `replacing(prompts:)` included; without end if negative.
  public var shots = -1
  /// Nanoseconds of shots whose prompt does not say it; nil, or 0, for the model's own length.
  public var shotDuration: UInt64?
  /// What shots show when the prompts are through and ``shots`` are not.
  public var policy = Policy.last
  /// Prompts that were taken as plain though they look like another form.
  public private(set) var problems: [PromptProblem] = []
  /// Shots that ``next()`` has given.
  public private(set) var made: UInt64 = 0
  /// The shot with which the list begins.
  private var origin: UInt64 = 0
  private var entries: [ListedShot] = []

  /// - Parameter prompts: without any, all shots have the empty one.
  public init(prompts: [PromptText] = []) { use(prompts) }

  /// - Parameter prompts: texts as ``PromptText`` understands them; ``problems`` count them from 1.
  public init(prompts: [String]) { use(Self.texts(prompts)) }

  /// The plan with other prompts: the shots made still count, and the next one has the new list's first prompt.
  public func replacing(prompts: [PromptText]) -> ShotPlan {
    var plan = self
    plan.use(prompts)
    return plan
  }

  /// The same with texts as ``PromptText`` understands them; ``problems`` count them from 1.
  public func replacing(prompts: [String]) -> ShotPlan { replacing(prompts: Self.texts(prompts)) }

  /// Texts as they are understood; their problems count them from 1.
  public static func texts(_ texts: [String]) -> [PromptText] {
    texts.enumerated().map { index, text in
      var prompt = PromptText(text)
      prompt.problem?.place = .prompt(index + 1)
      return prompt
    }
  }

  private mutating func use(_ prompts: [PromptText]) {
    origin = made
    problems = prompts.compactMap(\.problem)
    entries = prompts.flatMap { prompt in
      prompt.shots.enumerated().map { index, shot in
        ListedShot(
          caption: shot.caption, general: prompt.general, previous: index == 0 ? prompt.previous : prompt.shots[index - 1].caption,
          duration: shot.duration, beginning: shot.beginning)
      }
    }
  }

  /// How many shots are still to be made; nil if there is no end.
  public var remaining: UInt64? {
    guard let shots = UInt64(exactly: shots) else { return nil }
    return shots - min(shots, made)
  }

  /// The next shot; nil after the last one.
  public mutating func next() -> PlannedShot? {
    guard let shot = self[made], made < .max else { return nil }
    made += 1
    return shot
  }

  /// A shot, from 0, without making it.
  ///
  /// - Returns: nil if there is none, or the prompts that it was made with were replaced.
  public subscript(index: UInt64) -> PlannedShot? {
    guard index >= origin, shots < 0 || index < UInt64(shots) else { return nil }
    let entry = entry(index - origin)
    return PlannedShot(
      index: index, caption: entry.caption, general: joined(entry.general, trimmed(generalPrompt[...])), previous: entry.previous,
      negativePrompt: trimmed(negativePrompt[...]), duration: duration(of: entry), beginning: entry.beginning)
  }

  /// - Parameter position: of the list and what follows it.
  private func entry(_ position: UInt64) -> ListedShot {
    let count = UInt64(entries.count)
    if position < count { return entries[Int(position)] }
    switch policy {
    case .last: return entries.last ?? ListedShot()
    case .cycle: return count == 0 ? ListedShot() : entries[Int(position % count)]
    case .empty: return ListedShot()
    }
  }

  private func duration(of entry: ListedShot) -> UInt64? {
    entry.duration ?? (shotDuration == 0 ? nil : shotDuration)
  }

  /// How long the shots are that are still to be made, in nanoseconds; nil if there is no end, or it is too far to count.
  ///
  /// - Parameter modelDuration: nanoseconds of a shot that nobody gave a length.
  public func remainingDuration(modelDuration: UInt64) -> UInt64? {
    guard let remaining else { return nil }
    func sum(_ entries: some Sequence<ListedShot>) -> UInt64? {
      entries.reduce(0 as UInt64?) { total, entry in total.flatMap { plus($0, duration(of: entry) ?? modelDuration) } }
    }
    let count = UInt64(entries.count)
    var position = made - origin
    if policy == .cycle, count > 0 { position %= count }
    let first = Int(min(position, count))
    let listed = min(remaining, count - UInt64(first))
    guard let head = sum(entries[first..<first + Int(listed)]) else { return nil }
    let rest = remaining - listed
    guard rest > 0 else { return head }
    guard policy == .cycle, count > 0 else {
      return times(rest, duration(of: entry(count)) ?? modelDuration).flatMap { plus(head, $0) }
    }
    guard let round = sum(entries), let rounds = times(rest / count, round), let tail = sum(entries.prefix(Int(rest % count))) else {
      return nil
    }
    return plus(head, rounds).flatMap { plus($0, tail) }
  }
}

/// nil where it is too large.
private func plus(_ a: UInt64, _ b: UInt64) -> UInt64? {
  let (sum, isTooLarge) = a.addingReportingOverflow(b)
  return isTooLarge ? nil : sum
}

/// nil where it is too large.
private func times(_ a: UInt64, _ b: UInt64) -> UInt64? {
  let (product, isTooLarge) = a.multipliedReportingOverflow(by: b)
  return isTooLarge ? nil : product
}
