import Extension
import Testing

/// What a prompt's text is understood as.
@Suite("PromptText") struct PromptTextTests {
  private let second: UInt64 = 1_000_000_000

  private func captions(_ text: PromptText) -> [String] { text.shots.map(\.caption) }

  /// Start and end of each shot in milliseconds.
  private func times(_ text: PromptText) -> [[UInt64?]] {
    text.shots.map { [$0.start.map { $0 / 1_000_000 }, $0.end.map { $0 / 1_000_000 }] }
  }

  private func expectPlain(_ source: String, _ caption: String? = nil) {
    let text = PromptText(source)
    #expect(text.form == .plain && text.problem == nil && captions(text) == [caption ?? source], "\(source)")
    #expect(text.shots[0].beginning == nil && text.shots[0].duration == nil && text.general.isEmpty && text.previous == nil, "\(source)")
  }

  // MARK: plain

  @Test func `what is no form is the caption of one shot, without white space around it`() {
    expectPlain("A cat sleeps on a wall; it wakes up.")
    expectPlain(" \r\n\tA cat\r\nsleeps\u{3000}\r\n", "A cat\r\nsleeps")
    expectPlain("\u{FEFF}Кошка спит", "Кошка спит")
    expectPlain("猫が壁の上で寝ている。")
    expectPlain("قطة نائمة على الحائط")
    expectPlain("A 👩‍👩‍👧‍👦 walks 🐈")
  }

  @Test(arguments: ["", " ", "\r\n", "\u{FEFF}", "\u{A0}\u{2003}\n"])
  func `nothing is an empty caption`(source: String) { expectPlain(source, "") }

  @Test(arguments: [
    "Two shots of whisky on a bar", "The next scene shows a dog", "Next scene shows a dog.", "A long shot: a farm at dawn",
    "Shot 1 was loud. Shot 2 was not.", "A shot: [sic] a cat", "In the back to the earlier shot", "Screenshot 1: [0s, 4s] a window",
    "Two cats: one sleeps", "shots", "2", "the one before the next scene: a cat",
  ])
  func `words of the forms inside sentences are plain`(source: String) { expectPlain(source) }

  // MARK: CineTrans's form

  @Test func `the published form gives a general caption, and shots with their times`() {
    let text = PromptText("Two shots: A farm at dawn; Shot 1: [0s, 4s] A cock crows; Shot 2: [4s, 8s] A door opens.")
    #expect(text.form == .shots && text.problem == nil)
    #expect(text.general == "A farm at dawn")
    #expect(captions(text) == ["A cock crows", "A door opens."])
    #expect(text.shots.map(\.start) == [0, 4 * second] && text.shots.map(\.end) == [4 * second, 8 * second])
    #expect(text.shots.map(\.duration) == [4 * second, 4 * second])
    #expect(text.shots.map(\.beginning) == [nil, .next], "a cut begins the second")
  }

  @Test(arguments: [
    "two shots: A; shot 1: [0s, 4s] B; shot 2: [4s, 8s] C",
    "TWO SHOTS:A;SHOT 1:[0S,4S]B;SHOT 2:[4S,8S]C",
    "  2 shots :\r\n A ;\r\n Shot  1 : [ 0 , 4 ] B\r\n\r\nShot 2 :\t[ 4 s , 8 s ]\r\nC  \r\n",
    "2 shots: A. Shot 1: [0.0s, 4.000sec] B; shot two: [4 seconds, 8] C;",
    "A; Shot 1: [0s, 4s] B; Shot 2: [4s, 8s] C",
    "A, Shot 1: [0s, 4s] B, Shot 2: [4s, 8s] C",
    "A Shot 1: [0s, 4s] B Shot 2: [4s, 8s] C",
    "２ shots：A；Ｓｈｏｔ １：［０s，４s］B；Shot 2：［4s，8s］C",
    "\u{FEFF}Two shots: A; Shot 01: [00s, 4s] B; Shot 2: [4s, 8s] C",
  ])
  func `case, white space, spelling and full-width forms do not matter`(source: String) {
    let text = PromptText(source)
    #expect(text.form == .shots && text.problem == nil)
    #expect(text.general == "A" || text.general == "A.")
    #expect(captions(text) == ["B", "C"])
    #expect(times(text) == [[0, 4000], [4000, 8000]])
  }

  @Test func `every number word up to twenty counts`() {
    let words = [
      "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
      "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ]
    for (index, word) in words.enumerated() {
      let shots = (0...index).map { "Shot \($0 + 1): [\($0)s, \($0 + 1)s] caption \($0)" }.joined(separator: "; ")
      let text = PromptText("\(word) shots: all; \(shots)")
      #expect(text.problem == nil && text.shots.count == index + 1, "\(word)")
    }
  }

  @Test func `captions in any script, with semicolons, brackets and the form's own words, stay whole`() {
    let text = PromptText("三个镜头; Shot 1: [0s, 1s] 猫；狗; [and] a shot 2: birds; Shot 2: [1s, 2s] Кот 🐈; Shot 3: [2s, 3s] فيل")
    #expect(text.problem == nil && text.general == "三个镜头")
    #expect(captions(text) == ["猫；狗; [and] a shot 2: birds", "Кот 🐈", "فيل"])
  }

  @Test func `times are exact to the nanosecond, rounded beyond`() {
    func range(_ times: String) -> [UInt64?] {
      let shot = PromptText("Shot 1: [\(times)] a").shots[0]
      return [shot.start, shot.end]
    }
    #expect(range("0.1s, .3s") == [100_000_000, 300_000_000])
    #expect(range("0.000000001, 0.0000000025") == [1, 3])
    #expect(range("1.9999999994s, 1.9999999996s") == [1_999_999_999, 2_000_000_000])
    #expect(range("0, 86400s") == [0, 86400 * second])
    #expect(range("0000000000000000000000000000001s, 2s") == [second, 2 * second])
    #expect(range("0s, 1.00000000000000000000000000000000000000000000000000000000001s") == [0, second])
  }

  @Test func `shots may leave gaps, and begin later than zero`() {
    let text = PromptText("Shot 1: [1s, 2s] a; Shot 2: [3.5s, 4s] b")
    #expect(text.problem == nil && times(text) == [[1000, 2000], [3500, 4000]])
    #expect(text.shots.map(\.duration) == [second, second / 2])
  }

  @Test func `all times may be left out, and the captions`() {
    let text = PromptText("Two shots: a farm; Shot 1: a cock. Shot 2:")
    #expect(text.problem == nil && captions(text) == ["a cock.", ""] && text.shots.map(\.duration) == [nil, nil])
    #expect(text.shots.map(\.beginning) == [nil, .next])
  }

  @Test func `a shot's caption may begin with how it goes on`() {
    let text = PromptText("Shot 1: [0s, 1s] Next scene: a; Shot 2: [1s, 2s] same shot: b; Shot 3: [2s, 3s] Back to the earlier shot: c")
    #expect(captions(text) == ["a", "b", "c"])
    #expect(text.shots.map(\.beginning) == [.next, .same, .back])
  }

  // MARK: TAV's form and continuations

  @Test func `the published form gives a new scene, and the one before`() {
    let text = PromptText("Previous scene: Superman is flying across the city; Next scene: He sees Batman")
    #expect(text.form == .scenes && text.problem == nil)
    #expect(text.previous == "Superman is flying across the city")
    #expect(captions(text) == ["He sees Batman"] && text.shots[0].beginning == .next && text.shots[0].duration == nil)
  }

  @Test(arguments: [
    "previous scene:X;next scene:Y", "PREVIOUS SCENE : X ; NEXT SCENE : Y ;", "Previous scene: X\r\nNext scene: Y\r\n",
    "Previous scene: X; then next scene: Y", "Previous scene: X; and then next scene: Y", "Previous shot: X; next shot: Y",
    "Previous scene：X；Next scene：Y", "Previous  scene:\n X\n\nThen next\u{3000}scene: Y",
  ])
  func `case, white space, 'then' and full-width forms do not matter in scenes`(source: String) {
    let text = PromptText(source)
    #expect(text.problem == nil && text.previous == "X" && captions(text) == ["Y"] && text.shots[0].beginning == .next)
  }

  @Test func `a sentence's full stop ends a scene and belongs to it`() {
    let text = PromptText("Previous scene: 一个女孩。Next scene: A tree!")
    #expect(text.previous == "一个女孩。" && captions(text) == ["A tree!"])
  }

  @Test func `either scene may be alone, or empty`() {
    let before = PromptText("Previous scene: a cat")
    #expect(before.problem == nil && before.previous == "a cat" && captions(before) == [""] && before.shots[0].beginning == .next)
    let after = PromptText("Next scene: a dog")
    #expect(after.problem == nil && after.previous == nil && captions(after) == ["a dog"] && after.shots[0].beginning == .next)
    let empty = PromptText("Previous scene: ; Next scene: a dog")
    #expect(empty.problem == nil && empty.previous == "" && captions(empty) == ["a dog"])
    #expect(captions(PromptText("Next scene:")) == [""])
  }

  @Test func `continuations say how each shot begins`() {
    #expect(PromptText("Same shot: it wakes up").shots.map(\.beginning) == [.same])
    #expect(PromptText("back to the earlier shot: a dog").shots.map(\.beginning) == [.back])
    let text = PromptText("Next scene: a; the next scene: b. Same shot: c; Back to the earlier shot: d")
    #expect(text.problem == nil && captions(text) == ["a; the next scene: b.", "c", "d"])
    #expect(text.shots.map(\.beginning) == [.next, .same, .back])
  }

  // MARK: limits

  // Linear work takes seconds for all of these together, quadratic work far more than the limit.
  @Test(.timeLimit(.minutes(5))) func `work is linear in the length, whatever the text`() {
    let pieces = [
      "a", " ", "shot ", "; shot 1", "Shot 1: ", "; Next scene: a", "Previous scene: ", "next scene:", "then and ", "[", "[0s, 4s] ", "9",
      "\r\n",
      "e\u{301}", "👩‍👩‍👧", ";", "and   ", "back to the earlier ", "shot shot 1x [", "; shot : : : ", "a-", "; shot -",
    ]
    for piece in pieces {
      for head in ["", "Two shots: ", "Shot 1: [0s, 4s] ", "Shot 1: [", "Shot ", "Previous scene: ", "Shot 1: [0s, 4."] {
        let text = PromptText(head + String(repeating: piece, count: (1 << 13) / piece.utf8.count))
        #expect(!text.shots.isEmpty)
      }
    }
  }

  @Test func `a megabyte is no trouble`() {
    let long = String(repeating: "A cat; ", count: (1 << 20) / 7)
    #expect(PromptText(long).shots.count == 1)
    let many = PromptText((1...20_000).map { "Shot \($0): [\($0)s, \($0 + 1)s] caption of it" }.joined(separator: "; "))
    #expect(many.shots.count == 20_000 && many.problem == nil)
  }
}
