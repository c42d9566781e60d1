/// What the command line says.
struct Options {
  var seed: UInt64 = 1
  var count: UInt64 = 10_000
  /// nil: until `count` are through.
  var seconds: Double?
  /// Of a target's name; nil for all.
  var only: String?
  var jobs = 1
  /// One case.
  var number: UInt64?
  /// Which of its changes are made; nil for all.
  var keep: [Int]?
  var save: String?
  var checks = false
  var lists = false
  /// After so many failures nothing new is begun.
  var mostFailures = 50
  /// Targets that fail are among the others.
  var plants = false
  /// In a child: which cases, and a folder of its own, in which `progress` tells how far it is.
  var worker: (cases: Range<UInt64>, folder: String)?
  /// The project's folder.
  var root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  /// nil if the arguments make no sense.
  init?(_ arguments: [String]) {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      switch name {
      case "--check": checks = true
      case "--list": lists = true
      case "--plants": plants = true
      default:
        guard let value = rest.popFirst() else { return nil }
        switch name {
        case "--seed": guard let number = UInt64(value) else { return nil }; seed = number
        case "--count": guard let number = UInt64(value) else { return nil }; count = number
        case "--seconds": guard let number = Double(value), number > 0 else { return nil }; seconds = number
        case "--jobs": guard let number = Int(value), 1...64 ~= number else { return nil }; jobs = number
        case "--case": guard let number = UInt64(value) else { return nil }; self.number = number
        case "--keep": keep = value.split(separator: ",").compactMap { Int($0) }
        case "--only": only = value
        case "--save": save = value
        case "--root": root = value
        case "--worker":
          let parts = value.split(separator: ":", maxSplits: 2)
          guard parts.count == 3, let first = UInt64(parts[0]), let last = UInt64(parts[1]), first <= last else { return nil }
          worker = (first..<last, String(parts[2]))
        default: return nil
        }
      }
    }
  }

  /// What a child is told besides its cases.
  var inherited: [String] {
    ["--seed", "\(seed)", "--root", root] + (only.map { ["--only", $0] } ?? []) + (plants ? ["--plants"] : [])
      + (keep.map { ["--keep", $0.map(String.init).joined(separator: ",")] } ?? [])
  }
}
