import Extension
import Testing

/// A file of prompts, from its bytes.
@Suite("PromptFile") struct PromptFileTests {
  private func captions(_ text: String) throws -> [String] { try PromptFile(Array(text.utf8)).prompts.flatMap { $0.shots.map(\.caption) } }

  private func expect(_ failure: PromptFile.Failure, _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(throws: failure, sourceLocation: sourceLocation) { try PromptFile(bytes) }
  }

  @Test func `one prompt a line, whatever ends lines`() throws {
    for end in ["\n", "\r\n", "\r"] {
      #expect(try captions(["A cat", "猫", "Next scene: a dog"].joined(separator: end)) == ["A cat", "猫", "a dog"])
      #expect(try captions("A cat" + end) == ["A cat"])
    }
    #expect(try captions("").isEmpty && captions("\r\n").isEmpty)
  }

  @Test func `empty lines and those that begin with # are skipped`() throws {
    #expect(
      try captions("# a show\n\nA cat\n \t \n#A dog\n #1 on a door\nA bird # in a tree\n") == [
        "A cat", "#1 on a door", "A bird # in a tree",
      ])
  }

  @Test func `a byte order mark is no part of the first prompt, and no other line's`() throws {
    #expect(try captions("\u{FEFF}# a show\nA cat") == ["A cat"])
    #expect(try captions("\u{FEFF}A cat") == ["A cat"])
    #expect(try captions("\u{FEFF}").isEmpty)
    #expect(try PromptFile(Array("\u{FEFF}Shot 1: [x".utf8)).problems.map(\.column) == [10])
  }

  @Test func `problems carry the line, and the column in it`() throws {
    let file = try PromptFile(Array("# a show\r\n\r\nA cat\r\n  Shot 1: [0s, 4s a\r\nShot 2: a\r\n".utf8))
    #expect(file.problems.map(\.description) == ["line 4, column 19: expected ']' after the time", "line 5, column 6: expected shot 1"])
    #expect(file.prompts.count == 3)
  }

  @Test func `what is not UTF-8 is an error with its line`() {
    expect(.notText(line: 2), [0x61, 0x0A, 0xFF, 0x0A])
    expect(.notText(line: 3), Array("a\r\n\r\n".utf8) + [0xE3, 0x81])
    expect(.notText(line: 1), [0x23, 0xC0, 0x80])
    expect(.notText(line: 1), Array("\u{FEFF}".utf8) + [0xED, 0xA0, 0x80])
    expect(.notText(line: 2), [0x61, 0x0A, 0x61, 0x00, 0x62])
    // UTF-16, with its byte order mark.
    expect(.notText(line: 1), [0xFF, 0xFE, 0x61, 0x00])
    #expect("\(PromptFile.Failure.notText(line: 2))" == "is not UTF-8 text in line 2")
  }

  @Test func `a mebibyte is read, more is not`() throws {
    let line = Array("A cat sleeps on\n".utf8)
    let most = Array(repeatElement(line, count: (1 << 20) / line.count).joined())
    #expect(try PromptFile(most).prompts.count == 1 << 16)
    expect(.tooLong((1 << 20) + 1), most + [0x61])
    #expect("\(PromptFile.Failure.tooLong(1_048_577))" == "has 1048577 bytes, more than 1048576")
  }
}
