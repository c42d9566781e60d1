import Timing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// State that threads share, under a lock, and may wait for changes of.
package final class Monitor<State>: @unchecked Sendable {
  // Touched with the mutex held only. Apart from the object, whose head generic code reads without it: the thread sanitizer takes a
  // change of a class's variable for one of the whole object.
  private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// Takes the state over.
  package init(_ state: State) {
    self.state.initialize(to: state)
    pthread_mutex_init(mutex, nil)
    // Waits with an end are timed by a clock that nobody sets.
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
    state.deinitialize(count: 1)
    state.deallocate()
  }

  /// Changes the state and wakes who waits.
  package func change<Result>(_ body: (inout State) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    return body(&state.pointee)
  }

  /// Changes the state, and wakes who waits only if `body` says so: for what happens often and seldom matters to others.
  package func changeQuietly(_ body: (inout State) -> Bool) {
    pthread_mutex_lock(mutex)
    if body(&state.pointee) { pthread_cond_broadcast(changed) }
    pthread_mutex_unlock(mutex)
  }

  /// Waits until `body` has a result, for about so long at most; it is asked at once and after each change. nil if it
  /// has none by then.
  package func wait<Result>(milliseconds: Int, _ body: (inout State) -> Result?) -> Result? {
    var end = timespec(monotonic: monotonicTime().saturating(adding: .milliseconds(UInt64(max(0, milliseconds)))))
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state.pointee) { return result }
      if pthread_cond_timedwait(changed, mutex, &end) != 0 { return body(&state.pointee) }
    }
  }

  /// Waits until `body` has a result; it is asked at once and after each change.
  package func wait<Result>(_ body: (inout State) -> Result?) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state.pointee) { return result }
      pthread_cond_wait(changed, mutex)
    }
  }
}
