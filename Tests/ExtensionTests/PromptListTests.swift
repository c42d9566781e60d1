import Extension
import Testing

@Suite("Lists of prompts")
struct PromptListTests {
  @Test(
    "A list is understood however it is quoted",
    arguments: [
      // What GStreamer makes of an array of texts.
      ("< \"A, b\", \"caf\\303\\251 \\\"x\\\" it's\", \"\\346\\274\\242 > b\" >", ["A, b", "café \"x\" it's", "漢 > b"]),
      ("", []), ("  ", []), ("<>", []), ("< >", []), ("A hare", ["A hare"]), ("A hare, awake", ["A hare, awake"]),
      ("<A>", ["A"]), ("<A, B>", ["A", "B"]), ("<A hare wakes up, A bird>", ["A hare wakes up", "A bird"]),
      ("<'A hare, awake', 'A bird'>", ["A hare, awake", "A bird"]), ("<\"A hare, awake\",\"A bird\">", ["A hare, awake", "A bird"]),
      ("< 'A' , \"B\", C d >", ["A", "B", "C d"]), ("<'It's a dog's life', 'It''s b'>", ["It's a dog's life", "It''s b"]),
      ("<It's a dog, b>", ["It's a dog", "b"]), ("<\"She says \\\"no\\\"\", 'a \\'b\\' c'>", ["She says \"no\"", "a 'b' c"]),
      ("<\"caf\\303\\251\">", ["café"]), ("<\"one\\ntwo\">", ["one\ntwo"]), ("<'one\\ntwo'>", ["one\\ntwo"]),
      ("<\"a\\ b\\,\\ c\">", ["a b, c"]),
      ("<(string)\"A b\", (string)c>", ["A b", "c"]), ("< \"A\", NULL >", ["A", ""]), ("'A hare'", ["A hare"]), ("\"A hare\"", ["A hare"]),
      ("'A', 'B'", ["A", "B"]), ("['A', \"B\"]", ["A", "B"]), ("{'A'}", ["A"]), ("'A' and 'B'", ["'A' and 'B'"]),
      ("[0s, 4s] A hare", ["[0s, 4s] A hare"]), ("<'漢字, 🦊', 'é'>", ["漢字, 🦊", "é"]), ("<'A > B', 'C'>", ["A > B", "C"]),
      ("<'a',''>", ["a", ""]), ("'Tis the season", ["'Tis the season"]),
      ("<\"Two shots: Dawn; Shot 1: [0s, 4s] A\">", ["Two shots: Dawn; Shot 1: [0s, 4s] A"]),
    ] as [(String, [String])])
  func forms(text: String, expected: [String]) {
    let list = PromptList(text)
    #expect(list.prompts == expected)
    #expect(list.problem == nil)
  }

  @Test(
    "What begins like a list and is none is one prompt, and the form is shown",
    arguments: [("<\"a", 3), ("<'a', 'b'", 9), ("<", 1), ("<'a' b, 'c'", 11), ("<'a>", 2), ("<b> c", 5)])
  func problems(text: String, column: Int) throws {
    let list = PromptList(text)
    #expect(list.prompts == [text])
    let problem = try #require(list.problem)
    #expect(problem.column == column)
    #expect(problem.reason.contains("<'A rabbit wakes up', 'A bird sings'>"))
  }

  @Test("A megabyte of quotes, commas or brackets is read in a moment", arguments: ["'", "\"", "<", "',", "\\", "' ", "<'", ",", "'a', "])
  func length(piece: String) {
    let text = "<'" + String(repeating: piece, count: 1 << 20 / piece.utf8.count) + ">"
    let time = ContinuousClock().measure { _ = PromptList(text) }
    #expect(time < .seconds(5))
  }
}
