import Extension
import Testing

/// What each shot of a show gets.
@Suite("ShotPlan") struct ShotPlanTests {
  private let second: UInt64 = 1_000_000_000

  private func captions(_ plan: ShotPlan, _ count: Int) -> [String] {
    var plan = plan
    return (0..<count).compactMap { _ in plan.next()?.caption }
  }

  private func plan(_ prompts: [String], _ policy: ShotPlan.Policy = .last, shots: Int = -1) -> ShotPlan {
    var plan = ShotPlan(prompts: prompts)
    plan.policy = policy
    plan.shots = shots
    return plan
  }

  @Test func `after the list comes what the policy says, without end`() {
    let prompts = ["a", "Shot 1: [0s, 1s] b; Shot 2: [1s, 3s] c", "d"]
    #expect(captions(plan(prompts, .last), 7) == ["a", "b", "c", "d", "d", "d", "d"])
    #expect(captions(plan(prompts, .cycle), 7) == ["a", "b", "c", "d", "a", "b", "c"])
    #expect(captions(plan(prompts, .empty), 7) == ["a", "b", "c", "d", "", "", ""])
    let far = UInt64.max - 2
    #expect(plan(prompts, .last)[far]?.caption == "d")
    #expect(plan(prompts, .cycle)[far]?.caption == ["a", "b", "c", "d"][Int(far % 4)])
    #expect(plan(prompts, .cycle)[.max]?.index == .max)
    #expect(plan(prompts, .empty)[far]?.caption == "" && plan(prompts, .empty)[far]?.beginning == nil)
  }

  @Test func `repeated shots keep their durations and beginnings`() {
    var plan = plan(["Shot 1: [0s, 1s] a; Shot 2: [1s, 3s] b"], .cycle)
    plan.shotDuration = 5 * second
    #expect((0..<4).map { plan[$0]?.duration } == [second, 2 * second, second, 2 * second])
    #expect((0..<4).map { plan[$0]?.beginning } == [nil, .next, nil, .next])
    plan.policy = .empty
    #expect(plan[2]?.duration == 5 * second)
  }

  @Test func `without prompts every shot has the empty one, and the general one`() {
    for policy in ShotPlan.Policy.allCases {
      var plan = plan([], policy)
      #expect(plan[0]?.prompt == "" && plan[7]?.prompt == "" && plan[0]?.beginning == nil && plan[0]?.duration == nil)
      plan.generalPrompt = "Watercolour"
      #expect(plan[0]?.prompt == "Watercolour")
    }
    #expect(ShotPlan()[0]?.caption == "")
  }

  @Test func `as many shots as asked, or none, or without end`() {
    #expect(captions(plan(["a"], shots: 3), 9).count == 3)
    #expect(captions(plan(["a"], shots: 0), 9).isEmpty && plan(["a"], shots: 0)[0] == nil)
    #expect(captions(plan(["a"], shots: .min), 900).count == 900)
    var plan = plan(["a", "b"], shots: 2)
    #expect(plan.remaining == 2 && plan.next()?.index == 0 && plan.next()?.index == 1 && plan.next() == nil && plan.next() == nil)
    #expect(plan.made == 2 && plan.remaining == 0)
    plan.shots = 1
    #expect(plan.remaining == 0 && plan.next() == nil, "fewer than were made")
    plan.shots = -1
    #expect(plan.remaining == nil && plan.next()?.index == 2)
  }

  @Test func `the caption comes first, then the prompt's general caption, then the setting`() {
    var plan = plan(["Two shots: A farm; Shot 1: [0s, 1s] A cock crows!; Shot 2: [1s, 2s] 门开了。", "A cat", "Watercolour"], .empty)
    plan.generalPrompt = " Watercolour\n"
    plan.negativePrompt = " blurry "
    #expect(
      (0..<5).map { plan[$0]?.prompt } == [
        "A cock crows! A farm. Watercolour", "门开了。 A farm. Watercolour", "A cat. Watercolour", "Watercolour", "Watercolour",
      ])
    #expect(plan[0]?.caption == "A cock crows!" && plan[0]?.general == "A farm. Watercolour")
    #expect(plan[0]?.negativePrompt == "blurry" && plan[4]?.negativePrompt == "blurry")
  }

  @Test func `how a shot begins, and what was before, comes from its prompt`() {
    let plan = plan(["a", "Previous scene: a cat; Next scene: b", "Same shot: c; Back to the earlier shot: d", "Previous scene: e"])
    #expect((0..<6).map { plan[$0]?.beginning } == [nil, .next, .same, .back, .next, .next])
    #expect((0..<5).map { plan[$0]?.previous } == [nil, "a cat", nil, "c", "e"])
  }

  @Test func `the prompt's duration goes before the setting, and that before the model's`() {
    var plan = plan(["Shot 1: [1s, 3.5s] a", "b"])
    #expect((0..<2).map { plan[$0]?.duration } == [2_500_000_000, nil])
    plan.shotDuration = 4 * second
    #expect((0..<2).map { plan[$0]?.duration } == [2_500_000_000, 4 * second])
    plan.shotDuration = 0
    #expect(plan[1]?.duration == nil)
  }

  @Test func `new prompts begin at their first with the next shot, and the count goes on`() {
    var plan = plan(["a", "b"], .cycle, shots: 6)
    plan.generalPrompt = "Watercolour"
    for _ in 0..<3 { _ = plan.next() }
    var steered = plan.replacing(prompts: ["x", "Shot 9: y", "z"])
    #expect(steered.made == 3 && steered[3]?.caption == "x" && steered[2] == nil, "what was made is made")
    #expect(
      steered.next()?.index == 3 && steered.next()?.caption == "Shot 9: y" && steered.next()?.prompt == "z. Watercolour"
        && steered.next() == nil)
    #expect(steered.problems.map(\.description) == ["prompt 2, column 6: expected shot 1"])
    #expect(plan.next()?.caption == "b" && plan.problems.isEmpty, "the old plan is as it was")
    #expect(plan.replacing(prompts: [String]())[4]?.caption == "")
  }

  @Test func `prompts of a file keep their lines in problems`() throws {
    let file = try PromptFile(Array("# show\nShot 2: a\nb".utf8))
    let plan = ShotPlan().replacing(prompts: file.prompts)
    #expect(plan.problems.map(\.place) == [.line(2)] && plan[1]?.caption == "b")
  }

  @Test func `the time that is left is the sum over the shots that are left`() {
    for policy in ShotPlan.Policy.allCases {
      for shots in 0...13 {
        var plan = plan(["a", "Shot 1: [0s, 1s] b; Shot 2: [1s, 3s] c"], policy, shots: shots)
        for made in 0...14 {
          if made == 5 { plan = plan.replacing(prompts: ["Shot 1: [0s, 7s] b; Shot 2: [7s, 8s] c"]) }
          if made == 9 { plan.shotDuration = 11 * second }
          let expected = sequence(state: plan) { $0.next() }.reduce(0) { $0 + ($1.duration ?? 100 * second) }
          #expect(plan.remainingDuration(modelDuration: 100 * second) == expected, "\(policy), \(made) of \(shots)")
          _ = plan.next()
        }
      }
    }
    #expect(plan(["a"], shots: -1).remainingDuration(modelDuration: 1) == nil)
    #expect(plan(["a"], .cycle, shots: .max).remainingDuration(modelDuration: second) == nil, "too far to count")
    #expect(plan(["a", "b"], .last, shots: .max).remainingDuration(modelDuration: 2) == UInt64(Int.max) * 2)
  }

  @Test func `the millionth shot costs as little as the first`() {
    var plan = plan(["a", "b"], .cycle)
    for _ in 0..<1_000_000 { _ = plan.next() }
    #expect(plan.made == 1_000_000 && MemoryLayout.size(ofValue: plan) < 256 && plan.next()?.caption == "a")
  }
}
