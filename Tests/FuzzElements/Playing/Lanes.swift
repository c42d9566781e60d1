import Glibc

/// Waits of several threads for each other.
final class Gate: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func change<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(condition)
      pthread_mutex_unlock(mutex)
    }
    return body()
  }

  /// Waits until the condition holds; false if it does not for so long.
  func wait(milliseconds: Int = .max, _ holds: () -> Bool) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    let span = min(milliseconds, 1_000_000_000)
    end.tv_sec += span / 1000
    end.tv_nsec += span % 1000 * 1_000_000
    if end.tv_nsec >= 1_000_000_000 { (end.tv_sec, end.tv_nsec) = (end.tv_sec + 1, end.tv_nsec - 1_000_000_000) }
    while !holds() { if pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT { return holds() } }
    return true
  }
}

/// A streaming thread: what is pushed into a pad is pushed here, since it may have to wait for what flows elsewhere.
final class StreamingThread: @unchecked Sendable {
  private let gate = Gate()
  /// What is to be done, and what is done in its place if a flush comes first.
  private var work: [(perform: () -> Void, drop: () -> Void)] = []
  private var isBusy = false

  init() {
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        Unmanaged<StreamingThread>.fromOpaque(context!).takeUnretainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
  }

  private func run() {
    while true {
      _ = gate.wait { !work.isEmpty }
      let next = gate.change {
        isBusy = true
        return work.removeFirst()
      }
      next.perform()
      gate.change { isBusy = false }
    }
  }

  func submit(_ body: @escaping () -> Void, orDrop drop: @escaping () -> Void) { gate.change { work.append((body, drop)) } }

  /// A source that flushes does not bring what it has not brought yet.
  func flush() {
    let dropped = gate.change {
      defer { work.removeAll() }
      return work
    }
    for one in dropped { one.drop() }
  }

  /// False if it is still at work then.
  func rests(within milliseconds: Int) -> Bool { gate.wait(milliseconds: milliseconds) { work.isEmpty && !isBusy } }
}
