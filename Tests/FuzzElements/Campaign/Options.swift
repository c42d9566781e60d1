import Glibc

/// What the command line says.
struct Options {
  var seed: UInt64 = 1
  var count = 1000
  var seconds = 1_000_000
  var element: String?
  var replay: UInt64?
  var jobs = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  var hangMilliseconds = 5000
  var kept: [Int]?
  var rounds: Int?
  var stride = 1
  var isWorker = false
  var isDescribing = false
  /// So many faults of a kind are reduced; of others the seed is told.
  var isReducing = true

  /// nil if they cannot be understood.
  init?(_ arguments: [String]) {
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      switch name {
      case "--worker": isWorker = true
      case "--describe": isDescribing = true
      case "--no-reduction": isReducing = false
      default:
        guard let value = rest.popFirst() else { return nil }
        switch name {
        case "--seed": seed = UInt64(value) ?? 1
        case "--count": count = Int(value) ?? 1000
        case "--seconds": seconds = Int(value) ?? 60
        case "--element": element = value
        case "--replay": replay = UInt64(value)
        case "--jobs": jobs = Int(value) ?? 1
        case "--keep": kept = value == "-" ? [] : value.split(separator: ",").compactMap { Int($0) }
        case "--rounds": rounds = Int(value)
        case "--stride": stride = Int(value) ?? 1
        case "--hang": hangMilliseconds = Int(value) ?? 5000
        default: return nil
        }
      }
    }
  }
}
