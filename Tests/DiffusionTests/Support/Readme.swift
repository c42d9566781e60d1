import Testing

/// A fenced block of the module's documentation.
struct ReadmeBlock {
  /// The first and the second word after the fence.
  var language: String
  var name: String
  var text: String
}

func readmeText() throws -> String { String(decoding: try bytes(root + "/Sources/Diffusion/README.md"), as: UTF8.self) }

/// All fenced blocks of the module's documentation, in order.
func readmeBlocks() throws -> [ReadmeBlock] {
  var blocks: [ReadmeBlock] = []
  var lines: [Substring] = []
  var opening: [Substring]?
  for line in try readmeText().split(separator: "\n", omittingEmptySubsequences: false) {
    if !line.hasPrefix("```") {
      lines.append(line)
    } else if let words = opening {
      let (language, name) = (words.first ?? "", words.dropFirst().first ?? "")
      blocks.append(ReadmeBlock(language: String(language), name: String(name), text: lines.joined(separator: "\n")))
      opening = nil
    } else {
      (opening, lines) = (line.dropFirst(3).split(separator: " "), [])
    }
  }
  try #require(opening == nil && !blocks.isEmpty, "a block of the documentation has no end")
  return blocks
}
