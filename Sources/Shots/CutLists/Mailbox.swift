#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A bounded queue between threads: offering never waits, taking waits for something to take.
///
/// Storage is reserved once; a lock is held only while elements are moved.
final class Mailbox<Element: Sendable>: @unchecked Sendable {
  // Everything below is touched with the mutex held only.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let capacity: Int
  private var elements: [Element] = []
  private var isShut = false

  init(capacity: Int) {
    self.capacity = max(1, capacity)
    elements.reserveCapacity(self.capacity)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Whether there was room. After ``shut()`` nothing is taken and the answer is still yes.
  func offer(_ element: Element) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if isShut { return true }
    guard elements.count < capacity else { return false }
    elements.append(element)
    pthread_cond_signal(changed)
    return true
  }

  /// No more elements; what is there can still be taken.
  func shut() {
    pthread_mutex_lock(mutex)
    isShut = true
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
  }

  var isClosing: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return isShut
  }

  /// Waits until there are elements and moves them all into `batch`, which is emptied before. False when there are
  /// none and never will be.
  func take(into batch: inout [Element]) -> Bool {
    batch.removeAll(keepingCapacity: true)
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while elements.isEmpty, !isShut { pthread_cond_wait(changed, mutex) }
    swap(&batch, &elements)
    elements.reserveCapacity(capacity)
    return !batch.isEmpty
  }
}
