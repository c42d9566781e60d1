import Glibc

/// Ends the process when one thing takes longer than it may.
final class Watch: @unchecked Sendable {
  private let gate = Gate()
  private var what: (name: String, text: () -> String)?
  private var began = 0
  private let limit: Int

  /// - Parameter limit: milliseconds.
  init(limit: Int) {
    self.limit = limit
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        Unmanaged<Watch>.fromOpaque(context!).takeUnretainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
  }

  static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  /// The next thing begins; whatever was before it has ended.
  func begins(_ name: String, _ text: @escaping () -> String) {
    gate.change {
      what = (name, text)
      began = Self.now
    }
  }

  /// Nothing is done now.
  func rests() { gate.change { what = nil } }

  private func run() {
    while true {
      usleep(200_000)
      let late: (String, String)? = gate.change {
        guard let what, Self.now - began > limit else { return nil }
        return (what.name, what.text())
      }
      guard let late else { continue }
      tell("hang \(late.0): \(late.1)")
      if getenv("FUZZ_STOP_AT_HANG") != nil { while true { sleep(60) } }
      _exit(97)
    }
  }
}

/// A line for the process that started this one.
func tell(_ line: String) { say("@ \(line)") }

/// A line for whoever reads along: at once, also where output is a file.
func say(_ line: String) {
  let bytes = Array("\(line)\n".utf8)
  _ = write(1, bytes, bytes.count)
}
