import Synchronization
import Threads

/// A few threads that do a piece of work together and wait for each other after it.
///
/// Whoever waits looks for a moment whether the others are done and then sleeps: nothing is burnt when the processor is
/// wanted elsewhere.
package final class WorkerTeam: Sendable {
  package let count: Int
  private let shared = Shared()
  private let threads: [BackgroundThread]

  private final class Shared: Sendable {
    struct Round {
      var number = 0
      /// Where the caller's closure lies while it waits: whoever is done holds nothing of it.
      var work: UnsafePointer<(Int) -> Void>?
      var isOver = false
    }

    let round = Monitor(Round())
    /// The number of the round, to look at without the lock.
    let number = Atomic(0)
    let busy = Atomic(0)
    let done = Monitor(())

    /// Returns the work of the round after `last`; nil when there will be none.
    func next(after last: Int) -> UnsafePointer<(Int) -> Void>? {
      for _ in 0..<Self.glances where number.load(ordering: .acquiring) != last { break }
      return round.wait { $0.isOver ? .some(nil) : $0.number == last ? nil : .some($0.work) }
    }

    func begin(_ work: UnsafePointer<(Int) -> Void>, others: Int) {
      busy.store(others, ordering: .releasing)
      round.change {
        $0.work = work
        $0.number &+= 1
        number.store($0.number, ordering: .releasing)
      }
    }

    func finishOne() {
      if busy.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { done.change { _ in } }
    }

    func waitForAll() {
      for _ in 0..<Self.glances where busy.load(ordering: .acquiring) == 0 { break }
      done.wait { _ in busy.load(ordering: .acquiring) == 0 ? () : nil }
    }

    /// About 20 µs: more than a piece of work's imbalance, less than a time slice.
    static let glances = 20_000
  }

  /// - Parameter wanted: threads including the caller's, at least 1. Fewer are made if the system refuses them.
  package init(count wanted: Int) {
    var threads: [BackgroundThread] = []
    for index in 1..<max(wanted, 1) {
      let shared = shared
      guard
        let thread = try? BackgroundThread({
          ComputeLibrary.useOneThread()
          var round = 0
          while let work = shared.next(after: round) {
            round &+= 1
            work.pointee(index)
            shared.finishOne()
          }
        })
      else { break }
      threads.append(thread)
    }
    self.threads = threads
    count = threads.count + 1
  }

  deinit {
    shared.round.change { $0.isOver = true }
    for thread in threads { thread.join() }
  }

  /// Calls `work` once on each thread, with 0 (the caller's) to `count` − 1, and returns when all are done.
  ///
  /// `work` must bear being called from all of them at once.
  package func run(_ work: (Int) -> Void) {
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
