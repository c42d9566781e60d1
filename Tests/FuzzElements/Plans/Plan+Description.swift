extension Plan {
  /// What Swift says of a step, for people: "Memory.whole" without the names of this module and its types.
  static func short(_ text: String) -> String {
    let parts = text.split(separator: "fuzz_elements.", omittingEmptySubsequences: false)
    let rest = parts.dropFirst().map { part -> Substring in
      var part = part
      // Types begin with a capital.
      while let dot = part.firstIndex(of: "."), dot > part.startIndex, part.first?.isUppercase == true, part[..<dot].allSatisfy(\.isLetter)
      {
        part = part[part.index(after: dot)...]
      }
      return part
    }
    return ((parts.first ?? "") + rest.joined()).replacing("18446744073709551615", with: "none")
  }
}
