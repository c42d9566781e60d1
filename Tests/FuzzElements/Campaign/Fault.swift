/// What went wrong with a sequence.
struct Fault {
  enum Kind: String { case trap, hang, leak }

  var kind: Kind
  /// What tells it from others of its kind: a place in the plugin, or what was left.
  var key: String
  /// Lines that say more.
  var details: [String] = []

  /// What a run of one sequence ended with; nil if well.
  init?(ending code: Int32, lines: [String]) {
    if let hang = lines.last(where: { $0.hasPrefix("@ hang ") }) {
      self.init(kind: .hang, key: Self.kindOfHang(hang), details: [hang])
      return
    }
    if code == 0 {
      guard let left = lines.last(where: { $0.hasPrefix("@ left ") }) else { return nil }
      let what = left.split(separator: " ", maxSplits: 3).last.map { String($0) } ?? left
      // Numbers differ.
      let types = what.split(separator: ",").map { $0.split(separator: "×")[0].trimmingPrefix(" ") }
      self.init(kind: .leak, key: types.joined(separator: ", "), details: [what])
      return
    }
    let stack = lines.drop { !$0.hasPrefix("@ stack") }.dropFirst().filter { !$0.hasPrefix("@") }
    let place = stack.first { $0.contains("libgstshots") } ?? stack.dropFirst(3).first ?? "nowhere known"
    let words = lines.filter { $0.contains("Fatal error") || $0.contains("ERROR") || $0.contains("CRITICAL") }.suffix(3)
    self.init(kind: .trap, key: Self.place(place), details: ["exit status \(code)"] + words + stack.prefix(14).map { Self.place($0) })
  }

  private init(kind: Kind, key: String, details: [String]) { (self.kind, self.key, self.details) = (kind, key, details) }

  /// Without folders and addresses, which differ from run to run.
  private static func place(_ line: String) -> String {
    let name = line.split(separator: "/").last.map { String($0) } ?? line
    return name.split(separator: "[").first.map { String($0) } ?? name
  }

  private static func kindOfHang(_ line: String) -> String {
    // "@ hang step 3: state(…)": the call counts, and not its number.
    let text = line.split(separator: ":", maxSplits: 1).last.map { String($0) } ?? line
    return String(text.trimmingPrefix(" ").prefix { $0 != "(" })
  }

  /// Whether it may well be the same fault: of leaks, if something is left that was left there too.
  func isAlike(_ other: Fault) -> Bool {
    guard kind == .leak, other.kind == .leak else { return kind == other.kind && key == other.key }
    return !Set(key.split(separator: ", ")).isDisjoint(
      with: Set(other.key.split(separator: ", ").filter { other.key == "threads" || $0 != "threads" }))
  }
}
