import Extension
import Testing

/// Texts that nobody would write.
@Suite("Prompt fuzz") struct PromptFuzzTests {
  /// xorshift64*: the same texts on every machine.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return state &* 0x2545_F491_4F6C_DD1D
    }
  }

  private static let seeds = [
    "Two shots: A farm at dawn; Shot 1: [0s, 4s] A cock crows; Shot 2: [4s, 8.25s] A door opens",
    "3 shots: ; Shot 1: [0, 1] a; Shot 2: [1, 2] b; Shot 3: [2, 3.000000001]",
    "Previous scene: a cat; Next scene: a dog", "Same shot: 猫。Back to the earlier shot: 狗; and then next scene: 🐈", "A cat sleeps.", "",
  ]
  private static let pieces = [
    "Shot", "shots", "two", "1", "2", "9999999999999999999999", "[", "]", ",", ":", ";", "-", "\u{2212}", ".", "s", "inf", "nan", "∞", "0",
    "86400",
    "Next scene:", "Previous scene:", "Same shot:", "then", "and", " ", "\r\n", "\n", "\u{301}", "\u{200D}", "👩‍👩‍👧", "\u{FEFF}", "：", "［", "１",
    "\0",
    "ß", "İ", "ﬁ", "\u{202E}", "Shot 1: [0s, 4s] a",
  ]

  private static func mutated(_ generator: inout Generator) -> String {
    var scalars = Array((seeds.randomElement(using: &generator) ?? "").unicodeScalars)
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let place = Int.random(in: 0...scalars.count, using: &generator)
      let end = min(scalars.count, place + Int.random(in: 0...8, using: &generator))
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: scalars.removeSubrange(place..<end)
      case 1: scalars.insert(contentsOf: (pieces.randomElement(using: &generator) ?? "").unicodeScalars, at: place)
      case 2: scalars.replaceSubrange(place..<end, with: (pieces.randomElement(using: &generator) ?? "").unicodeScalars)
      case 3: scalars.insert(contentsOf: scalars[place..<end], at: Int.random(in: 0...scalars.count, using: &generator))
      default: scalars.insert(Unicode.Scalar(UInt32.random(in: 1..<0xD800, using: &generator)) ?? " ", at: place)
      }
    }
    return String(String.UnicodeScalarView(scalars))
  }

  @Test func `twenty-four thousand damaged texts keep every promise`() {
    var generator = Generator(state: 0x5348_4F54)
    var problems = 0
    var forms: [PromptText.Form: Int] = [:]
    for _ in 0..<24_000 {
      let source = Self.mutated(&generator)
      let text = PromptText(source)
      forms[text.form, default: 0] += 1
      guard !text.shots.isEmpty, text == PromptText(source) else {
        Issue.record("no shots, or others the second time: \(source.debugDescription)")
        continue
      }
      if let problem = text.problem {
        problems += 1
        if !(1...source.count ~= problem.column) || problem.reason.isEmpty || text.form != .plain || text.shots.count != 1 {
          Issue.record("\(problem) in \(source.debugDescription)")
        }
      }
      var end: UInt64 = 0
      for shot in text.shots {
        // Nothing is invented.
        if !shot.caption.isEmpty, !source.unicodeScalars.contains(shot.caption.unicodeScalars) {
          Issue.record("\(shot.caption.debugDescription) is not in \(source.debugDescription)")
        }
        guard let from = shot.start, let to = shot.end else { continue }
        if from < end || to <= from || to > 86_400_000_000_000 { Issue.record("times of \(source.debugDescription)") }
        end = to
      }
      var plan = ShotPlan(prompts: [text])
      plan.policy = .cycle
      if plan.next()?.caption != text.shots[0].caption { Issue.record("plan of \(source.debugDescription)") }
    }
    #expect(
      problems > 2000 && forms[.plain, default: 0] > problems && forms[.shots, default: 0] > 1000 && forms[.scenes, default: 0] > 1000)
  }

  @Test func `damaged files are read or refused`() {
    var generator = Generator(state: 0x4649_4C45)
    var refused = 0
    for _ in 0..<2000 {
      var bytes = (0..<4).flatMap { _ in Array((Self.mutated(&generator) + "\r\n").utf8) }
      if Bool.random(using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      let lines = bytes.split(omittingEmptySubsequences: false) { $0 == 10 || $0 == 13 }.count
      do throws(PromptFile.Failure) {
        for problem in try PromptFile(bytes).problems {
          guard case .line(let line) = problem.place, 1...lines ~= line else {
            Issue.record("\(problem)")
            continue
          }
        }
      } catch {
        refused += 1
        guard case .notText(let line) = error, 1...lines ~= line else {
          Issue.record("\(error)")
          continue
        }
      }
    }
    #expect(refused > 100)
  }
}
