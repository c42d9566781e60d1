import Clips
import Shots
import Timing

/// Where the files of a test lie: what was written to them, names that exist, and what does not work.
final class Disk {
  enum Operation { case open, write, sound, finish }
  struct Broken: Error {}

  var files: [MemoryFile] = []
  /// Names that exist.
  var names: Set<String> = []
  /// What fails, on which file: its ordinal, from 0.
  var broken: (Operation, file: Int)?

  func open(_ beginning: ClipBeginning<String>) throws -> MemoryFile {
    let file = MemoryFile(beginning, on: self, ordinal: files.count)
    try check(.open, files.count)
    files.append(file)
    return file
  }

  func check(_ operation: Operation, _ file: Int) throws {
    if let broken, broken.0 == operation, broken.file == file { throw Broken() }
  }

  /// Those that were finished.
  var finished: [MemoryFile] { files.filter { $0.path != nil } }
}

/// A clip's file that remembers what it was given.
final class MemoryFile: ClipFile {
  /// Numbers of frames and of pieces of sound; formats by name.
  typealias Packet = Int
  typealias Sound = Int
  typealias Format = String

  let beginning: ClipBeginning<String>
  private let disk: Disk
  private let ordinal: Int
  var frames: [Int] = []
  var times: [ClockTime] = []
  var durations: [ClockTime] = []
  /// The stretches of sound that it has, adjoining ones together.
  var heard: [Range<ClockTime>] = []
  var hasSound: Bool
  /// The name that it has got.
  var path: String?

  init(_ beginning: ClipBeginning<String>, on disk: Disk, ordinal: Int) {
    (self.beginning, self.disk, self.ordinal) = (beginning, disk, ordinal)
    hasSound = beginning.sound != nil
  }

  func write(_ packet: Int, at running: ClockTime, lasting duration: ClockTime) throws {
    try disk.check(.write, ordinal)
    frames.append(packet)
    times.append(running)
    durations.append(duration)
  }

  func write(sound: Int, at running: ClockTime, in range: Range<ClockTime>) throws {
    try disk.check(.sound, ordinal)
    guard !range.isEmpty else { return }
    if let last = heard.last, last.upperBound == range.lowerBound {
      heard[heard.count - 1] = last.lowerBound..<range.upperBound
    } else {
      heard.append(range)
    }
  }

  func endSound() { hasSound = false }

  func finish(overwriting: Bool, as name: (UInt64) -> String) throws -> UInt64 {
    try disk.check(.finish, ordinal)
    var attempt: UInt64 = 0
    while !overwriting, disk.names.contains(name(attempt)) { attempt += 1 }
    disk.names.insert(name(attempt))
    path = name(attempt)
    return attempt
  }
}
