import Files
import Glibc

/// One damaged file, made of the seed and its number alone.
struct Case {
  var target: Target
  /// The file's name in the target's folder.
  var file: String
  var bytes: [UInt8]
  /// How many changes there are to choose from.
  var changes: Int
}

/// The sound files, and cases made of them.
final class Corpus {
  let targets: [Target]
  private let seed: UInt64
  private var sound: [String: [UInt8]] = [:]

  init(_ options: Options) {
    targets = Target.all(root: options.root, plants: options.plants).filter { options.only == nil || $0.name == options.only }
    seed = options.seed
    if targets.isEmpty {
      complain("There is no reader of that name; see fuzz files --list.")
      exit(2)
    }
  }

  func bytes(_ target: Target, _ file: String) -> [UInt8] {
    guard let source = target.files.first(where: { $0.name == file })?.source else { return [] }
    switch source {
    case .text(let text): return Array(text.utf8)
    case .path(let path):
      if let known = sound[path] { return known }
      guard let bytes = try? RegularFile(path: path).contents(atMost: 1 << 30) else {
        complain("\(path) cannot be read")
        exit(2)
      }
      sound[path] = bytes
      return bytes
    }
  }

  /// - Parameter keep: which of the changes are made; nil for all.
  func make(_ number: UInt64, keep: [Int]?) -> Case {
    var numbers = Numbers(seed: seed, number: number)
    let target = targets[Int(number % UInt64(targets.count))]
    let file = target.damaged[numbers.below(target.damaged.count)]
    let count = [1, 1, 1, 2, 3, 5][numbers.below(6)]
    let stranger = targets[numbers.below(targets.count)]
    let other = bytes(stranger, stranger.damaged[numbers.below(stranger.damaged.count)])
    var result = Case(target: target, file: file, bytes: bytes(target, file), changes: count)
    for index in 0..<count {
      let damage = Damage(&numbers)
      if keep?.contains(index) ?? true { damage.apply(to: &result.bytes, other: other) }
    }
    return result
  }
}

/// The child: reads cases, one after the other, and ends as they make it end.
struct Worker {
  private let options: Options
  private let corpus: Corpus
  private let folder: String

  /// Beyond what the process has when it begins, in bytes.
  private static let mostMemory: UInt64 = 1 << 30

  init(_ options: Options) {
    self.options = options
    corpus = Corpus(options)
    folder = (options.worker?.folder ?? "/nonexistent") + "/files"
    mkdir(folder, 0o700)
  }

  func run(_ work: (cases: Range<UInt64>, folder: String)) {
    let progress = open(work.folder + "/progress", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    var known: [String: String] = [:]
    var told: [UInt64] = [0, 0, 0]
    func tell() { _ = told.withUnsafeBytes { pwrite(progress, $0.baseAddress, $0.count, 0) } }
    for target in corpus.targets { known[target.name] = place(target) }
    limitMemory()
    for number in work.cases {
      let made = corpus.make(number, keep: options.keep)
      guard let folder = known[made.target.name] else { continue }
      let path = "\(folder)/\(made.file)"
      unlink(path)
      write(made.bytes, to: path)
      told[0] = number
      tell()
      do {
        try made.target.read(folder)
        told[1] += 1
      } catch {
        told[2] += 1
        // What is said of a file is for people: short, and of it.
        let text = "\(error)"
        if text.utf8.count > 6000 { fatalError("an error of \(text.utf8.count) bytes") }
      }
      unlink(path)
      lay(made.target, made.file, path)
    }
    told[0] = work.cases.upperBound
    tell()
  }

  /// The target's folder, with all files sound.
  private func place(_ target: Target) -> String {
    let folder = "\(folder)/\(target.name)"
    mkdir(folder, 0o700)
    for (name, _) in target.files {
      var path = folder
      for part in name.split(separator: "/").dropLast() {
        path += "/\(part)"
        mkdir(path, 0o700)
      }
      lay(target, name, "\(folder)/\(name)")
    }
    return folder
  }

  private func lay(_ target: Target, _ file: String, _ path: String) {
    switch target.files.first(where: { $0.name == file })?.source {
    case .path(let sound): symlink(sound, path)
    case .text(let text): write(Array(text.utf8), to: path)
    case nil: break
    }
  }

  private func write(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "wb") else { fatalError("\(path) cannot be written") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  /// What asks for more than this does not get it, and traps.
  private func limitMemory() {
    guard let text = try? RegularFile(path: "/proc/self/statm").contents(atMost: 4096),
      let pages = UInt64(String(decoding: text, as: UTF8.self).prefix { $0 != " " })
    else { return }
    let limit = rlim_t(pages * UInt64(sysconf(Int32(_SC_PAGESIZE))) + Self.mostMemory)
    var limits = rlimit(rlim_cur: limit, rlim_max: limit)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits)
    var core = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
  }

  static func remove(_ path: String) {
    if unlink(path) == 0 { return }
    guard let folder = opendir(path) else { return }
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != "." && name != ".." { remove(path + "/" + name) }
    }
    closedir(folder)
    rmdir(path)
  }
}
