import Glibc

/// How many threads of this process have a name. Threads are called as the one that made them.
func threads(named name: String) -> Int {
  guard let tasks = opendir("/proc/self/task") else { return -1 }
  defer { closedir(tasks) }
  var count = 0
  while let entry = readdir(tasks) {
    let id = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if text(of: "/proc/self/task/\(id)/comm") == name + "\n" { count += 1 }
  }
  return count
}

/// What this process has in memory.
var residentMegabytes: Int {
  let pages = text(of: "/proc/self/statm").split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  return pages * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_000_000
}
