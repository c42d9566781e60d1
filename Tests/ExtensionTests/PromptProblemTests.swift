import Extension
import Testing

/// What a text that looks like a form, and breaks its rules, is told.
@Suite("PromptProblem") struct PromptProblemTests {
  /// A text in which `^` is put before the character of the problem.
  private func expect(_ marked: String, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let column = marked.distance(from: marked.startIndex, to: marked.firstIndex(of: "^") ?? marked.startIndex) + 1
    let source = marked.filter { $0 != "^" }
    let text = PromptText(source)
    #expect(text.problem == PromptProblem(column: column, reason: reason), "\(source)", sourceLocation: sourceLocation)
    #expect(text.form == .plain && text.shots.map(\.caption) == [source], "it keeps its plain meaning", sourceLocation: sourceLocation)
    #expect(text.general.isEmpty && text.previous == nil && text.shots[0].beginning == nil, sourceLocation: sourceLocation)
  }

  @Test func `brackets, commas and colons that are missing`() {
    expect("Shot 1: [0s, 4s ^a cat", "expected ']' after the time")
    expect("Shot 1: [0s, 4^s", "expected ']' after the time")
    expect("Shot 1: [0s^; 4s] a cat", "expected ',' after the time")
    expect("Shot 1: [0s, 4s^, 5s] a cat", "expected ']' after the time")
    expect("Shot 1: [1^e3, 4s] a cat", "expected ',' after the time")
    expect("Two shots: x; Shot 1 ^[0s, 4s] a; Shot 2: [4s, 8s] b", "expected ':' after the shot's number")
    expect("Shot 1: [0s, 4s] a; Shot 2: ^4s, 8s] b", "expected '[' and the times of shot 2")
    expect("Shot 1: a; Shot 2: ^[4s, 8s] b", "shot 2 has times, but shot 1 has none")
  }

  @Test func `numbers that are missing`() {
    expect("Shot 1: [^, 4s] a", "expected the time at which the shot begins")
    expect("Shot 1: [0s, ^] a", "expected the time at which the shot ends")
    expect("Shot 1: [^four, 5s] a", "expected the time at which the shot begins")
    expect("Shot 1: [0.^s, 5s] a", "expected a digit after the decimal point")
    expect("Shot^: [0s, 4s] a", "expected the shot's number")
    expect("x; Shot ^[0s, 4s] a", "expected the shot's number")
    expect("Shot ^-1: [0s, 4s] a", "expected the shot's number")
    expect("Shot ^1st: [0s, 4s] a", "expected the shot's number")
    for count in ["^Shots", "^many shots", "^-2 shots", "^2.5 shots", "^twenty-one shots"] {
      expect("\(count): x; Shot 1: [0s, 4s] a", "expected the number of shots, such as 2 or two")
    }
  }

  @Test func `times that are negative, not finite or too long`() {
    expect("Shot 1: [^-1s, 4s] a", "a time cannot be negative")
    expect("Shot 1: [0s, ^\u{2212}4s] a", "a time cannot be negative")
    for time in ["inf", "Infinity", "NaN", "∞"] { expect("Shot 1: [0s, ^\(time)] a", "a time must be finite") }
    let long = "a time cannot be more than 24 hours"
    expect("Shot 1: [0s, ^86400.000000001s] a", long)
    expect("Shot 1: [^90000s, 4s] a", long)
    expect("Shot 1: [0s, ^\(String(repeating: "9", count: 400))] a", long)
  }

  @Test func `times that overlap or go backwards`() {
    expect("Shot 1: [0s, 4s] a; Shot 2: [^3.9s, 8s] b", "shot 2 begins before shot 1 ends")
    expect("Shot 1: [4s, 8s] a; Shot 2: [^0s, 4s] b", "shot 2 begins before shot 1")
    expect("Shot 1: [4s, ^0s] a", "shot 1 ends before it begins")
    expect("Shot 1: [4s, ^4.0s] a", "shot 1 ends when it begins")
  }

  @Test func `counts and numbers that do not match the shots`() {
    expect("^Three shots: x; Shot 1: [0s, 4s] a; Shot 2: [4s, 8s] b", "3 shots are announced, but 2 follow")
    expect("^One shot: x; Shot 1: [0s, 4s] a; Shot 2: [4s, 8s] b", "one shot is announced, but 2 follow")
    expect("^2 shots: x; Shot 1: [0s, 4s] a", "2 shots are announced, but one follows")
    expect("^Two shots: the boy, then a close-up", "2 shots are announced, but none follows")
    expect("^0 shots: x", "0 shots are announced, but none follows")
    expect("^99999999999999999999 shots: x; Shot 1: a", "\(Int.max) shots are announced, but one follows")
    expect("Shot ^2: [0s, 4s] a", "expected shot 1")
    expect("Shot 1: [0s, 4s] a; Shot ^3: [4s, 8s] b", "expected shot 2 after shot 1")
    expect("Shot 1: [0s, 4s] a; Shot ^1: [4s, 8s] b", "expected shot 2 after shot 1")
  }

  @Test func `scenes out of place`() {
    expect("Previous scene: a cat ^next scene: a dog", "expected ';' before 'Next scene:'")
    expect("Next scene: a; ^Previous scene: b", "'Previous scene:' must stand at the beginning")
    expect("Previous scene: a; ^previous scene: b", "'Previous scene:' must stand at the beginning")
    expect("Previous scene ^a cat; Next scene: b", "expected ':'")
    expect("^A cat; Next scene: a dog", "expected 'Previous scene:' or the like before this, as there is 'Next scene:' later")
    expect("^A cat. Same shot: it runs", "expected 'Previous scene:' or the like before this, as there is 'Same shot:' later")
  }

  @Test func `columns count characters, not bytes or scalars`() {
    expect("e\u{301}👩‍👩‍👧猫\r\n; Shot 1: [0s^] a", "expected ',' after the time")
    expect("Кот; Shot 1: [0s, 4^s", "expected ']' after the time")
    // The accent belongs to the blank before it: the problem's scalar lies inside a character.
    expect("Shot 1: [0s,^ \u{301}] a", "expected the time at which the shot ends")
  }

  @Test func `problems print with their place`() {
    #expect("\(PromptProblem(column: 7, reason: "expected ','"))" == "column 7: expected ','")
    #expect("\(PromptProblem(place: .line(3), column: 7, reason: "expected ','"))" == "line 3, column 7: expected ','")
    #expect("\(PromptProblem(place: .prompt(3), column: 7, reason: "expected ','"))" == "prompt 3, column 7: expected ','")
  }
}
