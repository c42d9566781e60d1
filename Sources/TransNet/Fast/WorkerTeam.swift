import Synchronization
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A few threads that do a piece of work together and wait for each other after it.
///
/// Whoever waits looks for a moment whether the others are done and then sleeps: nothing is burnt when the processor is
/// wanted elsewhere.
final class WorkerTeam: @unchecked Sendable {  // all that is shared is under the lock or atomic
  let count: Int
  private let shared = Shared()
  private var threads: [pthread_t] = []

  private final class Shared: @unchecked Sendable {
    var mutex = pthread_mutex_t()
    var begun = pthread_cond_t()
    var ended = pthread_cond_t()
    /// Where the caller's closure lies while it waits: whoever is done holds nothing of it.
    var work: UnsafePointer<(Int) -> Void>?
    var isOver = false
    let round = Atomic(0)
    let busy = Atomic(0)

    init() {
      pthread_mutex_init(&mutex, nil)
      pthread_cond_init(&begun, nil)
      pthread_cond_init(&ended, nil)
    }

    deinit {
      pthread_mutex_destroy(&mutex)
      pthread_cond_destroy(&begun)
      pthread_cond_destroy(&ended)
    }

    /// Returns the work of the round after `last`; nil when there will be none.
    func next(after last: Int) -> UnsafePointer<(Int) -> Void>? {
      for _ in 0..<Self.glances where round.load(ordering: .acquiring) != last { break }
      pthread_mutex_lock(&mutex)
      defer { pthread_mutex_unlock(&mutex) }
      while round.load(ordering: .relaxed) == last && !isOver { pthread_cond_wait(&begun, &mutex) }
      return isOver ? nil : work
    }

    func begin(_ work: UnsafePointer<(Int) -> Void>, others: Int) {
      pthread_mutex_lock(&mutex)
      self.work = work
      busy.store(others, ordering: .relaxed)
      round.add(1, ordering: .releasing)
      pthread_cond_broadcast(&begun)
      pthread_mutex_unlock(&mutex)
    }

    func finishOne() {
      guard busy.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
      pthread_mutex_lock(&mutex)
      pthread_cond_signal(&ended)
      pthread_mutex_unlock(&mutex)
    }

    func waitForAll() {
      for _ in 0..<Self.glances where busy.load(ordering: .acquiring) == 0 { break }
      pthread_mutex_lock(&mutex)
      while busy.load(ordering: .acquiring) > 0 { pthread_cond_wait(&ended, &mutex) }
      work = nil
      pthread_mutex_unlock(&mutex)
    }

    func end() {
      pthread_mutex_lock(&mutex)
      isOver = true
      pthread_cond_broadcast(&begun)
      pthread_mutex_unlock(&mutex)
    }

    /// About 20 µs: more than a piece of work's imbalance, less than a time slice.
    static let glances = 20_000
  }

  private final class Member {
    let index: Int
    let shared: Shared
    init(index: Int, shared: Shared) {
      self.index = index
      self.shared = shared
    }
  }

  /// - Parameter count: threads including the caller's, at least 1. Fewer are made if the system refuses them.
  init(count wanted: Int) {
    var made = 1
    while made < wanted {
      let member = Unmanaged.passRetained(Member(index: made, shared: shared))
      #if canImport(Musl)
        var id: pthread_t?
      #else
        var id: pthread_t = 0
      #endif
      let code = pthread_create(
        &id, nil,
        { context in
          guard let context else { return nil }
          let member = Unmanaged<Member>.fromOpaque(context).takeRetainedValue()
          OneDNN.useOneThread()
          var round = 0
          while let work = member.shared.next(after: round) {
            round += 1
            work.pointee(member.index)
            member.shared.finishOne()
          }
          return nil
        }, member.toOpaque())
      guard code == 0 else {
        member.release()
        break
      }
      #if canImport(Musl)
        if let id { threads.append(id) }
      #else
        threads.append(id)
      #endif
      made += 1
    }
    count = made
  }

  deinit {
    shared.end()
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Calls `work` once on each thread, with 0 (the caller's) to `count` − 1, and returns when all are done.
  ///
  /// `work` must bear being called from all of them at once.
  func run(_ work: (Int) -> Void) {
    guard count > 1 else { return work(0) }
    withoutActuallyEscaping(work) { work in
      withUnsafePointer(to: work) { pointer in
        shared.begin(pointer, others: count - 1)
        work(0)
        shared.waitForAll()
      }
    }
  }
}
